"""Contact sheet: what a training set looks like, as one picture."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from torch import Tensor

OUTLINE = (255, 140, 0)
"""Colour of the objects' outlines, RGB."""

GAP = 2
"""Pixels between the tiles."""


def contact_sheet(
    canvases: Iterable[tuple[Tensor, Tensor]], count: int
) -> NDArray[np.uint8]:
    """Lay canvases side by side, each with the outline of its object.

    Parameters
    ----------
    canvases : iterable of (Tensor, Tensor)
        Image (C, C), uint8, and mask (C, C), bool, as `CanvasDataset` draws them.
    count : int
        Number of canvases, at least 1; the sheet is about twice as wide as high.

    Returns
    -------
    ndarray
        (H, W, 3), uint8.

    Raises
    ------
    ValueError
        If `count` is less than 1.
    """
    if count < 1:
        raise ValueError(f"count: {count}, expected at least 1")
    tiles = [_tile(*canvas) for canvas in islice(canvases, count)]
    across = math.ceil(math.sqrt(2 * count))
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-count % across)
    rows = [tiles[start : start + across] for start in range(0, count, across)]
    return np.concatenate([np.hstack(row) for row in rows])


def _tile(image: Tensor, mask: Tensor) -> NDArray[np.uint8]:
    inside = mask.numpy()
    edge = inside & ~ndimage.binary_erosion(inside)
    shown = np.repeat(image.numpy()[..., None], 3, axis=2)
    shown[edge] = OUTLINE
    return np.pad(shown, ((0, GAP), (0, GAP), (0, 0)))
