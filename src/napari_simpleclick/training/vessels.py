"""Random label maps of branching trees: vessels, airways, dendrites."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.training.label_maps import Labels

MURRAY = 2 ** (-1 / 3)
"""Radius of a branch over that of its parent where it splits in two."""

THINNEST = 0.9
"""Radius in pixels at which a tree ends."""


def vessels(rng: np.random.Generator, size: int) -> Labels:
    """Grow a few trees from the edge of the image or from within.

    Returns
    -------
    ndarray
        (size, size), int32: background 0, every tree one object.

    References
    ----------
    Murray, The physiological principle of minimum work, PNAS 12(3), 1926: the cubes of
    the branches' radii add up to that of the parent.
    """
    labels = np.zeros((size, size), np.int32)
    for tree in range(int(rng.integers(1, 5))):
        thickness = np.zeros((size, size))
        radius = np.exp(rng.uniform(np.log(1.5), np.log(0.05 * size)))
        start = rng.uniform(0.1, 0.9, 2) * size
        _grow(rng, thickness, start, rng.uniform(0, 2 * np.pi), radius)
        labels = np.where(_filled(thickness), np.int32(tree + 1), labels)
    return labels


def _grow(
    rng: np.random.Generator,
    thickness: NDArray[np.float64],
    start: NDArray[np.float64],
    angle: float,
    radius: float,
) -> None:
    """Note the radius along a branch and, from its end on, along those it splits in."""
    if radius < THINNEST:
        return
    steps = int(radius * rng.uniform(5, 16))
    angles = angle + 0.12 * rng.standard_normal(steps).cumsum()
    path = start[:, None] + np.cumsum([np.sin(angles), np.cos(angles)], axis=1)
    rows, cols = np.rint(path).astype(int)
    inside = (np.minimum(rows, cols) >= 0) & (np.maximum(rows, cols) < len(thickness))
    spots = rows[inside], cols[inside]
    thickness[spots] = np.maximum(thickness[spots], radius)
    if not inside[-1]:
        return
    spread = rng.uniform(0.2, 0.9)
    for side in (-1, 1):
        thinner = radius * MURRAY * rng.uniform(0.7, 1.1)
        _grow(rng, thickness, path[:, -1], angles[-1] + side * spread, thinner)


def _filled(thickness: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Widen every point of the middle lines to its radius.

    Of all lines, the nearest decides; where thick and thin meet, that is near enough.
    """
    if not thickness.any():
        return np.zeros(thickness.shape, bool)
    distance, nearest = ndimage.distance_transform_edt(
        thickness == 0, return_indices=True
    )
    filled: NDArray[np.bool_] = distance <= thickness[tuple(nearest)]
    return filled
