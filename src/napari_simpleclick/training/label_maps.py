"""Random label maps: cells, blobs, organs, tubes, vessels, walls and level sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_simpleclick.training.noise import smooth_noise
from napari_simpleclick.training.vessels import vessels
from napari_simpleclick.training.walls import walls

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Labels = NDArray[np.int32]


def random_labels(rng: np.random.Generator, size: int) -> Labels:
    """Make up a label map of one of the kinds below, often with a second one on top.

    Returns
    -------
    ndarray
        (size, size), int32, background 0.
    """
    makers: tuple[Callable[[np.random.Generator, int], Labels], ...]
    makers = (cells, blobs, organs, tubes, vessels, walls, level_sets)
    weights = (0.16, 0.17, 0.19, 0.07, 0.06, 0.22, 0.13)
    labels = makers[rng.choice(len(makers), p=weights)](rng, size)
    if rng.random() < 0.4:
        overlays = (spots, tubes, vessels, blobs)
        overlay = overlays[rng.choice(4, p=(0.6, 0.1, 0.1, 0.2))](rng, size)
        labels = np.where(overlay, overlay + labels.max(), labels)
    return labels.astype(np.int32)


def cells(rng: np.random.Generator, size: int) -> Labels:
    """Tissue: a warped Voronoi mosaic with membranes; some cells left out."""
    count = int(np.exp(rng.uniform(np.log(5), np.log(250))))
    seeds = np.zeros((size, size), np.int32)
    seeds[tuple(rng.integers(0, size, (2, count)))] = np.arange(1, count + 1)
    _, labels = _nearest_seed(seeds)
    labels = _warp(rng, labels, amplitude=0.5 * size / np.sqrt(count))
    if rng.random() < 0.4:
        kept = rng.random(count + 1) < rng.uniform(0.3, 0.95)
        labels = np.where(kept[labels], labels, 0)
    width = int(rng.integers(0, 3 + min(5, 40 // int(np.sqrt(count)))))
    membrane = ndimage.uniform_filter(edges_between(labels), 1 + width) > 1e-3
    return np.where(membrane, np.int32(0), labels)


def blobs(rng: np.random.Generator, size: int) -> Labels:
    """Nuclei, axons, droplets: rounded shapes, some touching, some with a rim."""
    count = int(np.exp(rng.uniform(0, np.log(60))))
    largest = size * rng.uniform(0.15, 0.6) / np.sqrt(count)
    rim = rng.uniform(0.4, 0.9) if rng.random() < 0.35 else 0.0
    labels = np.zeros((size, size), np.int32)
    for index in range(count):
        centre = rng.uniform(0, size, 2)
        radius = max(2.5, largest * rng.uniform(0.5, 1.3))
        shape = _blob(rng, size, centre, radius)
        if rng.random() < 0.7:
            shape = (shape[0], shape[1] * (labels[shape[0]] == 0))
        _stamp(labels, shape, 2 * index + 1, 1.0)
        if rim:
            _stamp(labels, shape, 2 * index + 2, rim)
    return labels


def spots(rng: np.random.Generator, size: int) -> Labels:
    """Lesions, vesicles: a few small blobs."""
    labels = np.zeros((size, size), np.int32)
    for index in range(int(rng.integers(1, 12))):
        radius = np.exp(rng.uniform(np.log(2.5), np.log(0.09 * size)))
        shape = _blob(rng, size, rng.uniform(0.1, 0.9, 2) * size, radius)
        _stamp(labels, shape, index + 1, 1.0)
    return labels


def organs(rng: np.random.Generator, size: int) -> Labels:
    """Bodies: an outline with shells, organs in it, and structures in the organs."""
    labels = np.zeros((size, size), np.int32)
    centre = size * rng.uniform(0.4, 0.6, 2)
    body = _blob(rng, size, centre, size * rng.uniform(0.3, 0.55))
    _stamp(labels, body, 1, 1.0)
    for shell in range(int(rng.integers(0, 3))):
        _stamp(labels, body, 2 + shell, rng.uniform(0.75, 0.97) - 0.1 * shell)
    next_label = 5
    for _ in range(int(rng.integers(2, 14))):
        parents = np.flatnonzero(labels)
        if not len(parents):
            break
        inside = np.unravel_index(int(rng.choice(parents)), labels.shape)
        parent = labels[inside]
        radius = size * np.exp(rng.uniform(np.log(0.02), np.log(0.2)))
        area, depth = _blob(rng, size, np.array(inside, float), radius)
        _stamp(labels, (area, depth * (labels[area] == parent)), next_label, 1.0)
        next_label += 1
    if rng.random() < 0.3:
        labels = _fold(rng, labels, next_label)
    return _warp(rng, labels, amplitude=0.03 * size)


def tubes(rng: np.random.Generator, size: int) -> Labels:
    """Vessels, nerves, neurites: winding curves of constant width."""
    count = int(rng.integers(1, 9))
    seeds = np.zeros((size, size), np.int32)
    for index in range(count):
        steps = int(rng.integers(size // 4, 2 * size))
        turn = ndimage.gaussian_filter1d(rng.standard_normal(steps), 8)
        angle = rng.uniform(0, 2 * np.pi) + rng.uniform(0.05, 0.5) * turn.cumsum()
        path = np.cumsum(np.stack([np.sin(angle), np.cos(angle)]), axis=1)
        path = (path + rng.uniform(0, size, (2, 1))).astype(int)
        inside = ((path >= 0) & (path < size)).all(axis=0)
        seeds[tuple(path[:, inside])] = index + 1
    if not seeds.any():
        return blobs(rng, size)
    radius = np.exp(rng.uniform(np.log(1.2), np.log(0.06 * size), count + 1))
    distance, nearest = _nearest_seed(seeds)
    return np.where(distance < radius[nearest], nearest, np.int32(0))


def level_sets(rng: np.random.Generator, size: int) -> Labels:
    """Tissue classes: connected pieces between level lines of a random field."""
    field = smooth_noise(rng, size, int(rng.integers(2, 16)))
    field += rng.uniform(0, 0.6) * smooth_noise(rng, size, int(rng.integers(16, 48)))
    cuts = np.sort(rng.uniform(-1.5, 1.5, int(rng.integers(1, 4))))
    levels = np.digitize(field, cuts)
    labels = np.zeros((size, size), np.int32)
    for level in range(1, len(cuts) + 1):
        pieces, _ = ndimage.label(levels == level)
        labels = np.where(pieces, pieces + labels.max(), labels)
    return labels


def edges_between(labels: NDArray[np.integer]) -> NDArray[np.float32]:
    """Mark the pixels whose upper or left neighbour has another label.

    Returns
    -------
    ndarray
        (H, W), float32, 0 or 1.
    """
    edges = np.zeros(labels.shape, np.float32)
    edges[1:] += labels[1:] != labels[:-1]
    edges[:, 1:] += labels[:, 1:] != labels[:, :-1]
    return np.minimum(edges, 1)


def _nearest_seed(seeds: Labels) -> tuple[NDArray[np.float64], Labels]:
    """Return, for each pixel, the distance to the nearest seed, and its label."""
    distance, index = ndimage.distance_transform_edt(seeds == 0, return_indices=True)
    return distance, seeds[tuple(index)]


def _warp(rng: np.random.Generator, labels: Labels, amplitude: float) -> Labels:
    size = len(labels)
    cells_across = int(rng.integers(3, 24))
    reach = amplitude * rng.uniform(0, 1) * min(1, 6 / cells_across)
    grid = np.mgrid[:size, :size].astype(np.float32)
    for axis in range(2):
        grid[axis] += reach * smooth_noise(rng, size, cells_across)
    rows, cols = np.clip(np.rint(grid), 0, size - 1).astype(int)
    warped: Labels = labels[rows, cols]
    return warped


def _fold(rng: np.random.Generator, labels: Labels, first: int) -> Labels:
    """Split the largest object along the level lines of a fine field, like a cortex."""
    largest = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    field = smooth_noise(rng, len(labels), int(rng.integers(5, 20)))
    return np.where((labels == largest) & (field > 0), first, labels)


Blob = tuple[tuple[slice, slice], "NDArray[np.float32]"]


def _blob(
    rng: np.random.Generator, size: int, centre: NDArray[np.float64], radius: float
) -> Blob:
    """Return a window and the depth in it: above 0 inside, 1 at the centre."""
    stretch, turn = np.exp(rng.uniform(-0.5, 0.5)), rng.uniform(0, np.pi)
    reach = int(2.2 * radius) + 1
    low = np.clip((centre - reach).astype(int), 0, size - 1)
    high = np.clip((centre + reach).astype(int), low + 1, size)
    rows, cols = np.ogrid[low[0] : high[0], low[1] : high[1]]
    y, x = rows - centre[0], cols - centre[1]
    along = (np.cos(turn) * y + np.sin(turn) * x) * stretch
    across = (np.cos(turn) * x - np.sin(turn) * y) / stretch
    angle = np.arctan2(along, across)
    edge = np.ones_like(angle)
    for wave in range(2, 7):
        swing = rng.normal(0, 0.25) / wave
        edge += swing * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    depth = 1 - np.hypot(along, across) / (radius * np.maximum(edge, 0.2))
    window = (slice(low[0], high[0]), slice(low[1], high[1]))
    return window, depth.astype(np.float32)


def _stamp(labels: Labels, shape: Blob, value: int, scale: float) -> None:
    """Write `value` where the blob, shrunk to `scale`, lies."""
    window, depth = shape
    labels[window][depth > 1 - scale] = value
