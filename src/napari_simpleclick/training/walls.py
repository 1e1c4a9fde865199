"""Random label maps of walls around lumens: nerve fibres, ducts, vessels cut across."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_simpleclick.training.noise import smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.training.label_maps import Labels


MOST_CELLS = 120
"""Of a tissue."""

_CANDIDATES = 24
"""Places of which the roomiest gets the next cell."""


def walls(rng: np.random.Generator, size: int) -> Labels:
    """Nerve fibres, ducts, vessels cut across: walls around lumens."""
    return wall_and_lumen(rng, packing(rng, size))


def packing(rng: np.random.Generator, size: int) -> Labels:
    """Pack round cells of many sizes, the large ones first, as in a nerve.

    Returns
    -------
    ndarray
        (size, size), int32: 0 is background, every other value a cell; neighbours may
        press against each other.
    """
    largest = size * np.exp(rng.uniform(np.log(0.05), np.log(0.3)))
    smallest = max(2.5, largest * rng.uniform(0.1, 0.5))
    swell = 1 + rng.uniform(0, 0.4)
    centres, radii = np.zeros((0, 2)), np.zeros(0)
    for _ in range(MOST_CELLS):
        places = rng.uniform(-0.05, 1.05, (_CANDIDATES, 2)) * size
        apart = np.linalg.norm(places[:, None] - centres, axis=2) - radii
        room = apart.min(axis=1, initial=largest)
        best = int(np.argmax(room))
        if room[best] < smallest:
            break
        centres = np.vstack([centres, places[best]])
        radii = np.append(radii, room[best] * rng.uniform(0.7, 1))
    rows, cols = np.mgrid[:size, :size].astype(np.float32)
    bend = 0.25 * smallest
    rows += bend * smooth_noise(rng, size, int(rng.integers(4, 20)))
    cols += bend * smooth_noise(rng, size, int(rng.integers(4, 20)))
    nearest = np.full((size, size), np.inf, np.float32)
    tissue = np.zeros((size, size), np.int32)
    for index, ((row, col), radius) in enumerate(zip(centres, radii, strict=True)):
        outside = np.hypot(rows - np.float32(row), cols - np.float32(col)) / radius
        closer = (outside < swell) & (outside < nearest)
        tissue[closer] = index + 1
        nearest[closer] = outside[closer]
    return tissue


def wall_and_lumen(rng: np.random.Generator, tissue: Labels) -> Labels:
    """Turn every cell of a tissue into a wall, and a lumen where it is large enough.

    Walls of a tissue are about equally thick for the size of their cell, and uneven
    along it. Some cells stand apart, others touch.

    Parameters
    ----------
    rng : Generator
        Source of all randomness.
    tissue : ndarray
        (N, N), int32: 0 is background, every other value a cell.

    Returns
    -------
    ndarray
        (N, N), int32: cell n has the wall 2n - 1 and the lumen 2n.
    """
    size, count = len(tissue), int(tissue.max())
    depth = _depth(tissue)
    deepest = np.maximum(
        ndimage.maximum(depth, tissue, np.arange(count + 1)), 1.0
    ).astype(np.float32)
    gap = rng.uniform(0, 0.3) * rng.random(count + 1) ** 2 * deepest
    share = np.exp(rng.uniform(np.log(0.12), np.log(0.6)))
    share = share * np.exp(rng.normal(0, 0.25, count + 1))
    wall = np.maximum(share * (deepest - gap), 1.5)
    uneven = np.exp(0.25 * smooth_noise(rng, size, int(rng.integers(3, 12))))
    is_cell = (tissue > 0) & (depth > gap[tissue])
    is_lumen = is_cell & (depth > gap[tissue] + wall[tissue] * uneven)
    return np.where(is_cell, 2 * tissue - 1 + is_lumen, 0).astype(np.int32)


def _depth(tissue: Labels) -> NDArray[np.float32]:
    """Measure how far inside its cell each pixel lies, rounded off at corners."""
    inner = tissue > 0
    for axis in (0, 1):
        step = np.diff(tissue, axis=axis) != 0
        inner &= ~np.pad(step, [(0, 1) if a == axis else (0, 0) for a in (0, 1)])
    depth = ndimage.distance_transform_edt(inner)
    smooth: NDArray[np.float32] = ndimage.gaussian_filter(depth, 1.0).astype(np.float32)
    return smooth
