"""Made-up slices: random label maps of biomedical shapes, painted at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_simpleclick.training.label_maps import edges_between, random_labels
from napari_simpleclick.training.noise import correlated_noise
from napari_simpleclick.training.ultrastructure import ultrastructure_slice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.training.label_maps import Labels

    Image = NDArray[np.float32]

SMALLEST_SIDE, LARGEST_SIDE = 160, 320

MICROGRAPHS = 0.3
"""Share of the slices that look like electron micrographs of tissue."""


def synthetic_slice(rng: np.random.Generator) -> tuple[Image, Labels]:
    """Make up one slice.

    Parameters
    ----------
    rng : Generator
        Source of all randomness.

    Returns
    -------
    image : ndarray
        (N, N), float32, about [0, 1].
    labels : ndarray
        (N, N), int32: 0 is background, every other value one object.
    """
    if rng.random() < MICROGRAPHS:
        return ultrastructure_slice(rng)
    labels = random_labels(rng, int(rng.integers(SMALLEST_SIDE, LARGEST_SIDE)))
    return paint(rng, labels), labels


def paint(rng: np.random.Generator, labels: Labels) -> Image:
    """Give every object a grey level and a texture.

    Half of the time every object has its own, else the objects share a few classes,
    as nuclei or cells do, and edges are drawn between neighbours. Often the classes are
    the odd and the even labels, such as all walls and all lumens.

    Parameters
    ----------
    labels : ndarray
        (H, W), non-negative integers.

    Returns
    -------
    ndarray
        (H, W), float32, about [0, 1].
    """
    count = int(labels.max()) + 1
    shared = rng.random() < 0.5
    classes = int(rng.integers(1, 4)) if shared else count
    kind = rng.integers(0, classes, count) + 1 if shared else np.arange(count)
    if shared and classes == 2:
        kind = 1 + np.arange(count) % 2
    kind[0] = 0
    classes += 1
    mean = rng.uniform(0, 1, classes)
    if shared:
        mean[1:] = _away_from(rng, mean[0], mean[1:])
    level = (mean[kind] + 0.04 * shared * rng.standard_normal(count))[labels]
    size = max(labels.shape)
    height, width = labels.shape
    textures = rng.uniform(0, 0.25, (2, classes)) ** rng.uniform(1, 2)
    for amplitude in textures:
        texture = correlated_noise(rng, size)[:height, :width]
        level += (amplitude[kind] * (rng.random(count) < 0.7))[labels] * texture
    edges = edges_between(labels)
    if rng.random() < (0.8 if shared else 0.2):
        line = ndimage.gaussian_filter(edges, rng.uniform(0.4, 1.5))
        line = np.minimum(line * rng.uniform(1, 2.5), 1)
        level += line * (rng.choice([-0.2, 1.2]) - level) * rng.uniform(0.3, 1)
    painted: Image = ndimage.gaussian_filter(level, rng.uniform(0, 1.3))
    return painted.astype(np.float32)


def _away_from(
    rng: np.random.Generator, value: float, levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Move levels off `value` by at least 0.12 (up or down)."""
    shift = rng.uniform(0.12, 0.6, len(levels)) * rng.choice([-1, 1])
    moved: NDArray[np.float64] = value + shift
    return moved
