"""Every design of the pyramid computes, learns, and comes back from its file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from napari_simpleclick.modeling.checkpoint import (
    CheckpointError,
    export_published,
    load_checkpoint,
    save_checkpoint,
)
from napari_simpleclick.modeling.config import PYRAMIDS, Pyramid, SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick

TINY = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=8,
    num_heads=2,
    neck_dims=(4, 6, 8, 10),
    head_dim=8,
)
SCALES = {
    "simple": (4, 2, 1, 0.5),
    "single-scale": (1, 1, 1, 1),
    "parallel": (4, 2, 1, 0.5),
    "partial": (1, 1, 1, 1),
}


def network(pyramid: Pyramid, **numbers: int) -> SimpleClick:
    torch.manual_seed(0)
    return SimpleClick(replace(TINY, pyramid=pyramid, **numbers))


def inputs(height: int = 64, width: int = 64) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    points = torch.tensor([[[20.0, 20, 0], [-1, -1, -1]]])
    return torch.rand(1, 3, height, width), torch.zeros(1, 1, height, width), points


@pytest.mark.parametrize("pyramid", PYRAMIDS)
def test_levels_have_the_scales_of_the_design(pyramid: Pyramid) -> None:
    model = network(pyramid).eval()
    image, _, _ = inputs(96, 64)
    with torch.inference_mode():
        levels = model.neck(model.backbone(image, torch.zeros(1, 6, 4, 16)))
        low = model.low_res_logits(*inputs(96, 64))
    assert [tuple(level.shape) for level in levels] == [
        (1, dim, int(6 * scale), int(4 * scale))
        for dim, scale in zip(TINY.neck_dims, SCALES[pyramid], strict=True)
    ]
    assert low.shape[2:] == levels[0].shape[2:]


@pytest.mark.parametrize("depth", [4, 8, 12])
@pytest.mark.parametrize("pyramid", ["parallel", "partial"])
def test_levels_take_the_maps_after_each_quarter(pyramid: Pyramid, depth: int) -> None:
    """As one block after the other gives them; all tokens fit in one window here."""
    backbone = network(pyramid, depth=depth).eval().backbone
    image, _, _ = inputs()
    x = (backbone.patch_embed(image) + backbone._position_embedding(4, 4)).flatten(1, 2)
    with torch.inference_mode():
        maps = backbone(image, torch.zeros(1, 4, 4, 16))
        for number, block in enumerate(backbone.blocks, 1):
            x = block(x)
            if number % (depth // 4) == 0:
                level = maps[number // (depth // 4) - 1]
                torch.testing.assert_close(level.permute(0, 2, 3, 1).flatten(1, 2), x)


@pytest.mark.parametrize("pyramid", ["simple", "single-scale"])
def test_levels_take_the_last_map(pyramid: Pyramid) -> None:
    maps = network(pyramid).eval().backbone(inputs()[0], torch.zeros(1, 4, 4, 16))
    assert len(maps) == 4
    assert all(level is maps[-1] for level in maps)


def test_cutting_windows_in_between_changes_nothing() -> None:
    """Twelve blocks have windowed maps after the third and the ninth."""
    torch.manual_seed(0)
    image, tokens = torch.rand(1, 3, 464, 240), torch.rand(1, 29, 15, 16)
    with torch.inference_mode():
        last, quarters = (
            network(pyramid, depth=12).eval().backbone(image, tokens)[-1]
            for pyramid in ("simple", "parallel")
        )
    torch.testing.assert_close(last, quarters)


@pytest.mark.parametrize("pyramid", PYRAMIDS)
def test_every_parameter_but_the_class_token_learns(pyramid: Pyramid) -> None:
    model = network(pyramid)
    model(*inputs()).square().mean().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None]
    assert not still


@pytest.mark.parametrize("pyramid", PYRAMIDS)
def test_the_loss_falls(pyramid: Pyramid) -> None:
    model = network(pyramid).eval()  # without dropout
    image, prev_mask, points = inputs()
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 8:40, 8:40] = 1
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(40):
        logits = model(image, prev_mask, points)
        loss = functional.binary_cross_entropy_with_logits(logits, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("pyramid", PYRAMIDS)
def test_a_file_brings_the_design_back(pyramid: Pyramid, tmp_path: Path) -> None:
    model = network(pyramid).eval()
    path = tmp_path / "model.safetensors"
    save_checkpoint(model, path, dtype=torch.float32)
    again = load_checkpoint(path)
    assert again.config == model.config
    with torch.inference_mode():
        torch.testing.assert_close(again(*inputs()), model(*inputs()))


def test_a_file_without_the_entry_is_simple(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(network("simple"), path)
    with safe_open(path, framework="pt") as file:
        config = json.loads(file.metadata()["config"])
    del config["pyramid"]
    save_file(load_file(path), path, metadata={"config": json.dumps(config)})
    assert load_checkpoint(path).config.pyramid == "simple"


def test_a_design_that_does_not_fit_the_tensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(network("simple"), path)
    config = json.dumps(replace(TINY, pyramid="partial").to_dict())
    save_file(load_file(path), path, metadata={"config": config})
    with pytest.raises(CheckpointError, match="does not fit its tensors"):
        load_checkpoint(path)


def test_another_design_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no published form"):
        export_published(network("parallel"), tmp_path / "model.pth")
    assert not list(tmp_path.iterdir())


def test_an_unknown_design_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of simple, single-scale"):
        replace(TINY, pyramid="hierarchical")  # type: ignore[arg-type]
