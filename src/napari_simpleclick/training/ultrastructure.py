"""Made-up electron micrographs: cells with membranes, mitochondria and vesicles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_simpleclick.training.label_maps import cells
from napari_simpleclick.training.noise import correlated_noise, smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.training.label_maps import Labels

    Image = NDArray[np.float32]
    Mask = NDArray[np.bool_]
    Box = tuple[slice, slice]

SMALLEST_SIDE, LARGEST_SIDE = 224, 448

SMALLEST_AREA = 24
"""Pixels; less of a mitochondrion is left out."""

MEMBRANE = 4
"""Pixels; what is farther from any cell is no membrane."""


def ultrastructure_slice(rng: np.random.Generator) -> tuple[Image, Labels]:
    """Make up one electron micrograph of tissue.

    Mitochondria are dark or light, with a rim and often with cristae. Vesicles, tubules
    and grains lie between them that are no objects: what a network must learn to pass
    over.

    Parameters
    ----------
    rng : Generator
        Source of all randomness.

    Returns
    -------
    image : ndarray
        (N, N), float32, about [0, 1].
    labels : ndarray
        (N, N), int32: 0 is membrane or background, every other value a cell without
        its mitochondria, or a mitochondrion.
    """
    size = int(rng.integers(SMALLEST_SIDE, LARGEST_SIDE))
    tissue = cells(rng, size) if rng.random() < 0.8 else np.ones((size, size), np.int32)
    level = _cytoplasm(rng, tissue)
    labels = tissue.copy()
    typical = size * np.exp(rng.uniform(np.log(0.012), np.log(0.05)))
    paint = _MitochondrionPainter(rng, size)
    for _ in range(int(rng.integers(2, 28))):
        radius = typical * np.exp(rng.normal(0, 0.25))
        box, shape = capsule(rng, size, radius, radius * rng.exponential(2.5))
        shape &= labels[box] == tissue[box]
        shape = _in_one_cell(tissue[box], shape)
        if np.count_nonzero(shape) < SMALLEST_AREA:
            continue
        labels[box][shape] = labels.max() + 1
        paint(level, box, shape)
    _clutter(rng, level, typical, labels == tissue)
    image = ndimage.gaussian_filter(level, rng.uniform(0.3, 1.2))
    return image.astype(np.float32), labels


def capsule(
    rng: np.random.Generator, size: int, radius: float, length: float
) -> tuple[Box, Mask]:
    """Lay a bent sausage of varying width somewhere on a square.

    Parameters
    ----------
    size : int
        Side of the square in pixels.
    radius, length : float
        Half width, and length of the middle line, in pixels.

    Returns
    -------
    box : tuple of slice
        The window that it lies in.
    shape : ndarray
        (h, w), bool: the sausage in that window.
    """
    steps = max(2, int(length / max(radius, 1) * 4))
    turn = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.9) * np.linspace(0, 1, steps)
    step = length / steps
    path = np.cumsum(step * np.stack([np.sin(turn), np.cos(turn)]), axis=1)
    path += rng.uniform(0, size, (2, 1)) - path.mean(axis=1, keepdims=True)
    width = radius * np.exp(0.2 * np.sin(np.linspace(0, rng.uniform(0, 9), steps)))
    low = np.clip((path.min(axis=1) - 1.4 * radius - 2).astype(int), 0, size - 1)
    high = np.clip((path.max(axis=1) + 1.4 * radius + 2).astype(int), low + 1, size)
    rows, cols = np.ogrid[low[0] : high[0], low[1] : high[1]]
    shape = np.zeros((high[0] - low[0], high[1] - low[1]), bool)
    for row, col, reach in zip(*path, width, strict=True):
        shape |= (rows - row) ** 2 + (cols - col) ** 2 < reach**2
    return (slice(low[0], high[0]), slice(low[1], high[1])), shape


class _MitochondrionPainter:
    """Paints the mitochondria of one image alike: level, rim and cristae."""

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self.rng = rng
        self.level = rng.uniform(0.1, 0.75)
        self.rim_level = rng.uniform(0, 0.35)
        self.rim_width = rng.uniform(1, 1 + size / 150)
        self.gap = rng.random() < 0.4
        self.period = rng.uniform(2.5, 9)
        self.cristae = rng.choice([0.0, rng.uniform(0.05, 0.35)], p=[0.3, 0.7])
        self.bend = smooth_noise(rng, size, int(rng.integers(6, 20)))
        self.grain = correlated_noise(rng, size) * rng.uniform(0, 0.1)

    def __call__(self, level: NDArray[np.float64], box: Box, shape: Mask) -> None:
        depth = ndimage.distance_transform_edt(np.pad(shape, 1))[1:-1, 1:-1]
        rows, cols = np.mgrid[box]
        turn = self.rng.uniform(0, np.pi)
        across = np.cos(turn) * rows + np.sin(turn) * cols + 4 * self.bend[box]
        stripes = np.tanh(2 * np.sin(2 * np.pi * across / self.period))
        inside = self.level + self.cristae * stripes + self.grain[box]
        inside += self.rng.normal(0, 0.04)
        if self.gap:
            light = (depth > self.rim_width) & (depth <= 2 * self.rim_width)
            inside = np.where(light, inside + 0.15, inside)
        inside = np.where(depth <= self.rim_width, self.rim_level, inside)
        level[box][shape] = inside[shape]


def _cytoplasm(rng: np.random.Generator, tissue: Labels) -> NDArray[np.float64]:
    """Paint cells light, with a grain, membranes dark, and gaps like one more cell."""
    size = len(tissue)
    count = int(tissue.max()) + 2
    mean = rng.uniform(0.45, 0.9) + rng.uniform(0, 0.12) * rng.standard_normal(count)
    mean[0] = rng.uniform(0, 0.35)
    is_gap = ndimage.distance_transform_edt(tissue == 0) > MEMBRANE
    level: NDArray[np.float64] = mean[np.where(is_gap, count - 1, tissue)]
    for _ in range(2):
        level += rng.uniform(0, 0.12) * correlated_noise(rng, size)
    return level


def _clutter(
    rng: np.random.Generator, level: NDArray[np.float64], typical: float, free: Mask
) -> None:
    """Strew vesicles and tubules, dark or with a dark rim, where nothing else lies."""
    size = len(level)
    dark = rng.uniform(0, 0.4)
    for _ in range(int(rng.integers(0, 5))):
        centre = rng.uniform(0, size, 2)
        spread = size * rng.uniform(0.02, 0.12)
        radius = typical * rng.uniform(0.1, 0.35) + 0.8
        for place in centre + spread * rng.standard_normal((int(rng.integers(60)), 2)):
            _ring(level, free, place, radius, dark, hollow=rng.random() < 0.7)
    for _ in range(int(rng.integers(0, 12))):
        length = typical * rng.uniform(2, 14)
        box, shape = capsule(rng, size, rng.uniform(0.8, 1 + 0.25 * typical), length)
        edge = shape ^ ndimage.binary_erosion(shape)
        level[box][edge & free[box]] = dark


def _ring(
    level: NDArray[np.float64],
    free: Mask,
    place: NDArray[np.float64],
    radius: float,
    dark: float,
    *,
    hollow: bool,
) -> None:
    low = np.clip((place - radius - 1).astype(int), 0, len(level))
    high = np.clip((place + radius + 2).astype(int), 0, len(level))
    box = (slice(low[0], high[0]), slice(low[1], high[1]))
    rows, cols = np.ogrid[box]
    distance = np.hypot(rows - place[0], cols - place[1])
    drawn = (distance < radius) & free[box]
    if hollow:
        drawn &= distance > radius - 1.3
    level[box][drawn] = dark


def _in_one_cell(tissue: Labels, shape: Mask) -> Mask:
    """Keep what lies in the cell that holds most of the shape, in one piece."""
    found = tissue[shape]
    found = found[found > 0]
    if not len(found):
        return np.zeros_like(shape)
    kept: Mask = shape & (tissue == np.bincount(found).argmax())
    pieces, count = ndimage.label(kept)
    if count > 1:
        kept = pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()
    return kept
