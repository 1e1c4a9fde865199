"""Horizontal flip: each crop is seen twice, and the two answers are averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_simpleclick.inference.transforms import CropInputs

if TYPE_CHECKING:
    from torch import Tensor


def add_flipped(inputs: CropInputs) -> CropInputs:
    """Append the mirror image, left for right, of every crop to the batch.

    Parameters
    ----------
    inputs : CropInputs
        B crops of width W; a point's column c becomes W - 1 - c.

    Returns
    -------
    CropInputs
        2B crops: the given ones, then their mirror images in the same order.
    """
    image, prev_mask, points = inputs
    mirrored = points.clone()
    mirrored[..., 1] = image.shape[-1] - 1 - mirrored[..., 1]
    is_padding = points[..., 2:] < 0
    return CropInputs(
        torch.cat([image, image.flip(-1)]),
        torch.cat([prev_mask, prev_mask.flip(-1)]),
        torch.cat([points, torch.where(is_padding, points, mirrored)]),
    )


def merge_flipped(maps: Tensor) -> Tensor:
    """Average each map of the first half with its mirrored partner of the second.

    Parameters
    ----------
    maps : Tensor
        (2B, 1, S, S), in the order of `add_flipped`.

    Returns
    -------
    Tensor
        (B, 1, S, S).
    """
    straight, mirrored = maps.chunk(2)
    return (straight + mirrored.flip(-1)) / 2
