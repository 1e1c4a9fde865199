"""The detail branch: changes nothing at first, sees single pixels, survives a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from napari_simpleclick.modeling.checkpoint import (
    export_published,
    load_checkpoint,
    save_checkpoint,
)
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.training.assembly import build_model
from napari_simpleclick.training.config import TrainConfig

WITHOUT = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 6, 8, 10),
    head_dim=8,
)
WITH = replace(WITHOUT, detail_dim=6)


def network(config: SimpleClickConfig) -> SimpleClick:
    torch.manual_seed(0)
    return SimpleClick(config).eval()


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    points = torch.tensor([[[20.0, 20, 0], [-1, -1, -1]]])
    return torch.rand(1, 3, 64, 96), torch.rand(1, 1, 64, 96), points


def stirred(model: SimpleClick) -> SimpleClick:
    """Give the branch's last layer weights, as training does."""
    assert model.detail is not None
    torch.nn.init.normal_(model.detail.conv_seg.weight)
    return model


def test_a_trained_network_gets_one_without_losing_anything(tmp_path: Path) -> None:
    old = network(WITHOUT)
    path = tmp_path / "old.safetensors"
    save_checkpoint(old, path, dtype=torch.float32)
    config = TrainConfig(initial=path, detail_dim=6, second_looks=0)
    new = build_model(config, torch.device("cpu")).eval()
    assert new.config == WITH
    with torch.inference_mode():
        torch.testing.assert_close(new(*inputs()), old(*inputs()))


def test_another_width_than_the_checkpoints_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.safetensors"
    save_checkpoint(network(WITH), path)
    with pytest.raises(ValueError, match="detail_dim: 7, expected 6"):
        build_model(TrainConfig(initial=path, detail_dim=7), torch.device("cpu"))


def test_what_it_adds_is_local() -> None:
    """A pixel of the previous mask changes logits at most two cells away."""
    model = stirred(network(WITH))
    assert model.detail is not None
    image, maps = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    fused = torch.rand(1, 8, 16, 16)
    with torch.inference_mode():
        before = model.detail(image, maps, fused)
        maps[0, 0, 33, 30] = 1
        change = (model.detail(image, maps, fused) - before)[0, 0]
    rows, cols = change.nonzero(as_tuple=True)
    assert rows.min() >= 6
    assert rows.max() <= 10
    assert cols.min() >= 5
    assert cols.max() <= 9
    assert change.shape == (16, 16)


def test_every_part_of_it_learns() -> None:
    model = stirred(network(WITH)).train()
    model(*inputs()).square().mean().backward()
    assert model.detail is not None
    assert all(p.grad is not None and p.grad.any() for p in model.detail.parameters())


def test_a_file_brings_it_back(tmp_path: Path) -> None:
    model = stirred(network(WITH))
    path = tmp_path / "model.safetensors"
    save_checkpoint(model, path, dtype=torch.float32)
    again = load_checkpoint(path)
    assert again.config == WITH
    with torch.inference_mode():
        torch.testing.assert_close(again(*inputs()), model(*inputs()))


def test_it_has_no_published_form(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no published form"):
        export_published(network(WITH), tmp_path / "model.pth")


@pytest.mark.parametrize(
    "numbers", [{"patch_size": 14, "image_size": 56}, {"pyramid": "partial"}]
)
def test_a_grid_that_it_does_not_fit_is_refused(numbers: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="detail_dim: 6, expected 0"):
        replace(WITH, **numbers)  # type: ignore[arg-type]


def test_fewer_than_no_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="detail_dim: -1"):
        replace(WITHOUT, detail_dim=-1)
