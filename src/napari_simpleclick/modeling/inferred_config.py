"""config_from_tensors: read a network's configuration off the shapes of its tensors."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.config import VARIANTS, Pyramid, SimpleClickConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_MAX_NUMBER = 10_000
_MULTI_SCALE = ("down_4.6", "down_8.3", "down_16.1", "down_32.3")
_SINGLE_SCALE = ("down_4.1", "down_8.1", "down_16.1", "down_32.1")
"""The normalisations that end the levels of a pyramid, by its scales."""


def config_from_tensors(
    tensors: Mapping[str, Tensor],
    num_heads: int | None = None,
    click_radius: int = 5,
    pyramid: Pyramid = "simple",
) -> SimpleClickConfig:
    """Infer the architecture of a SimpleClick network.

    Shapes fix all but two numbers and the pyramid's design. They are also the safe
    place to take them from: a network built from them is no larger than the file.

    Parameters
    ----------
    tensors : mapping
        A state dict with the published names.
    num_heads : int or None
        Attention heads; None takes those of the variant with the same `embed_dim`.
    click_radius : int
        Radius in pixels of a click's disk.
    pyramid : str
        Design of the feature pyramid, one of `PYRAMIDS`.

    Returns
    -------
    SimpleClickConfig
        The architecture.

    Raises
    ------
    CheckpointError
        If the tensors are not those of a SimpleClick network.
    """
    embed_dim, _, patch_size, _ = _shape(tensors, "backbone.patch_embed.proj.weight", 4)
    tokens = _shape(tensors, "backbone.pos_embed", 3)[1] - 1
    hidden = _shape(tensors, "backbone.blocks.0.mlp.fc1.weight", 2)[0]
    neck = _MULTI_SCALE if pyramid in ("simple", "parallel") else _SINGLE_SCALE
    dim_4, dim_8, dim_16, dim_32 = (
        _shape(tensors, f"neck.{level}.weight", 1)[0] for level in neck
    )
    if isqrt(tokens) ** 2 != tokens:
        raise CheckpointError(f"has a position embedding of {tokens} tokens, no square")
    if num_heads is None:
        num_heads = _known_heads(embed_dim)
    _check_whole_number("num_heads", num_heads)
    _check_whole_number("click_radius", click_radius)
    try:
        return SimpleClickConfig(
            image_size=isqrt(tokens) * patch_size,
            patch_size=patch_size,
            embed_dim=embed_dim,
            depth=_depth(tensors),
            num_heads=num_heads,
            neck_dims=(dim_4, dim_8, dim_16, dim_32),
            head_dim=_shape(tensors, "head.conv_seg.weight", 4)[1],
            mlp_ratio=hidden / embed_dim,
            click_radius=click_radius,
            pyramid=pyramid,
        )
    except ValueError as error:
        raise CheckpointError(f"is no SimpleClick network: {error}") from error


def _shape(tensors: Mapping[str, Tensor], name: str, ndim: int) -> tuple[int, ...]:
    if name not in tensors:
        raise CheckpointError(f"is no SimpleClick network: it has no tensor {name}")
    shape = tuple(tensors[name].shape)
    if len(shape) != ndim or 0 in shape:
        raise CheckpointError(f"is no SimpleClick network: {name} has shape {shape}")
    return shape


def _depth(tensors: Mapping[str, Tensor]) -> int:
    start = "backbone.blocks."
    return len({name.split(".")[2] for name in tensors if name.startswith(start)})


def _known_heads(embed_dim: int) -> int:
    for variant in VARIANTS.values():
        if variant.embed_dim == embed_dim:
            return variant.num_heads
    raise CheckpointError(
        f"has no configuration, and the number of attention heads is unknown for its "
        f"embedding dimension, {embed_dim}"
    )


def _check_whole_number(name: str, value: int) -> None:
    """Refuse what a file may hold in the place of a number."""
    if type(value) is not int or not 1 <= value <= _MAX_NUMBER:
        raise CheckpointError(f"gives no usable number for {name}")
