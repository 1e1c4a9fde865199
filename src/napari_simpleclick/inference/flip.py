"""Horizontal flip: each crop is seen twice, and the two answers are averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.transforms import CropInputs

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    mirrored = points.copy()
    is_click = points[..., 2] >= 0
    mirrored[is_click, 1] = image.shape[-1] - 1 - points[is_click, 1]
    return CropInputs(
        np.concatenate([image, image[..., ::-1]]),
        np.concatenate([prev_mask, prev_mask[..., ::-1]]),
        np.concatenate([points, mirrored]),
    )


def merge_flipped(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average each map of the first half with its mirrored partner of the second.

    Parameters
    ----------
    maps : ndarray
        (2B, 1, S, S), in the order of `add_flipped`.

    Returns
    -------
    ndarray
        (B, 1, S, S).
    """
    straight, mirrored = np.split(maps, 2)
    return np.float32(0.5) * (straight + mirrored[..., ::-1])
