"""Shapes alone tell the architecture, or what is missing."""

from __future__ import annotations

import pytest
import torch

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.inferred_config import config_from_tensors
from napari_simpleclick.modeling.simpleclick import SimpleClick

ODD = SimpleClickConfig(
    image_size=84,
    patch_size=14,
    embed_dim=24,
    depth=4,
    num_heads=3,
    neck_dims=(4, 5, 6, 7),
    head_dim=9,
    mlp_ratio=2.0,
)


def tensors(config: SimpleClickConfig = ODD) -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        return SimpleClick(config).state_dict()


def test_every_number_but_two_is_in_the_shapes() -> None:
    assert config_from_tensors(tensors(), num_heads=3) == ODD


def test_heads_of_an_unknown_width_are_not_guessed() -> None:
    with pytest.raises(CheckpointError, match=r"attention heads is unknown .* 24"):
        config_from_tensors(tensors())


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("backbone.pos_embed", None, "it has no tensor backbone.pos_embed"),
        ("backbone.pos_embed", (1, 36, 24), "35 tokens, no square"),
        ("backbone.pos_embed", (1, 0, 24), "has shape"),
        ("backbone.patch_embed.proj.weight", (24, 3), "has shape"),
        ("backbone.blocks.4.norm1.weight", (24,), "depth: 5 is not a multiple of 4"),
    ],
)
def test_what_does_not_fit_is_named(
    name: str, shape: tuple[int, ...] | None, message: str
) -> None:
    state = tensors()
    if shape is None:
        del state[name]
    else:
        state[name] = torch.empty(shape, device="meta")
    with pytest.raises(CheckpointError, match=message):
        config_from_tensors(state, num_heads=3)


@pytest.mark.parametrize("number", [0, -1, True, 2.0, "3", 10**30])
def test_numbers_from_a_file_are_checked(number: int) -> None:
    with pytest.raises(CheckpointError, match="no usable number"):
        config_from_tensors(tensors(), num_heads=number)
    with pytest.raises(CheckpointError, match="no usable number"):
        config_from_tensors(tensors(), num_heads=3, click_radius=number)
