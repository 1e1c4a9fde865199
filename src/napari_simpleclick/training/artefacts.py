"""What goes wrong in microscopes and scanners: folds, scratches, stripes, ghosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_simpleclick.training.noise import smooth_noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Image = NDArray[np.float32]
    Spoilt = NDArray[np.floating]


def add_artefact(rng: np.random.Generator, image: Image) -> Image:
    """Spoil an image by one kind of artefact.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    image : ndarray
        (N, N), float32, about [0, 1].

    Returns
    -------
    ndarray
        (N, N), float32, about [0, 1].
    """
    kinds: tuple[Callable[[np.random.Generator, Image], Spoilt], ...]
    kinds = (fold, scratches, stripes, dirt, saturation, ghost, seams)
    spoilt = kinds[rng.integers(len(kinds))](rng, image)
    return spoilt.astype(np.float32, copy=False)


def fold(rng: np.random.Generator, image: Image) -> Spoilt:
    """Lay a fold of the section over the image: a dark, winding band."""
    distance = np.abs(_signed_distance(rng, len(image), bend=0.1))
    width = len(image) * rng.uniform(0.004, 0.03)
    shade = np.exp(-((distance / width) ** 2))
    return image * (1 - rng.uniform(0.3, 0.9) * shade)


def scratches(rng: np.random.Generator, image: Image) -> Spoilt:
    """Draw the parallel scratches that a damaged knife leaves."""
    across = _signed_distance(rng, len(image), bend=0.0)
    result = image.copy()
    for _ in range(int(rng.integers(1, 6))):
        place = rng.uniform(-0.5, 0.5) * len(image)
        line = np.exp(-(((across - place) / rng.uniform(0.5, 1.5)) ** 2))
        result += rng.choice([-1, 1]) * rng.uniform(0.1, 0.6) * line
    return result


def stripes(rng: np.random.Generator, image: Image) -> Spoilt:
    """Add the waves of knife chatter, of curtaining or of radio-frequency noise."""
    across = _signed_distance(rng, len(image), bend=0.01)
    wave = np.sin(2 * np.pi * across / rng.uniform(4, len(image) / 4))
    return image + rng.uniform(0.02, 0.12) * wave


def dirt(rng: np.random.Generator, image: Image) -> Spoilt:
    """Let a few specks of stain or dust lie on the section."""
    field = smooth_noise(rng, len(image), int(rng.integers(10, 40)))
    speck = ndimage.gaussian_filter((field > rng.uniform(2.2, 3)).astype(float), 0.7)
    colour = float(rng.integers(2))
    spoilt: Spoilt = image + (colour - image) * speck
    return spoilt


def saturation(rng: np.random.Generator, image: Image) -> Spoilt:
    """Cut off the darkest and the lightest grey levels."""
    low, high = np.quantile(image, (rng.uniform(0, 0.15), rng.uniform(0.85, 1)))
    spoilt: Spoilt = (image - low) / max(high - low, 0.05)
    return spoilt


def ghost(rng: np.random.Generator, image: Image) -> Spoilt:
    """Repeat the image faintly along one axis, as motion does in MRI."""
    shift = int(len(image) * rng.uniform(0.05, 0.5))
    strength = rng.uniform(0.03, 0.15)
    axis = int(rng.integers(2))
    echo = np.roll(image, shift, axis) + np.roll(image, -shift, axis)
    spoilt: Spoilt = (image + strength * echo) / (1 + 2 * strength)
    return spoilt


def seams(rng: np.random.Generator, image: Image) -> Spoilt:
    """Compose the image of tiles of unequal brightness."""
    result = image.copy()
    row, col = (rng.uniform(0, 1, 2) * len(image)).astype(int)
    for part in (np.s_[:row, :], np.s_[:, :col]):
        result[part] = result[part] * rng.uniform(0.8, 1.2) + rng.uniform(-0.08, 0.08)
    return result


def _signed_distance(
    rng: np.random.Generator, size: int, *, bend: float
) -> NDArray[np.float64]:
    """Distance in pixels from a random line through the image, bent by noise."""
    turn = rng.uniform(0, np.pi)
    rows, cols = np.mgrid[:size, :size] - size * rng.uniform(0.3, 0.7, (2, 1, 1))
    distance: NDArray[np.float64] = np.cos(turn) * rows + np.sin(turn) * cols
    if bend:
        cells = int(rng.integers(2, 6))
        distance += size * bend * rng.uniform(0, 1) * smooth_noise(rng, size, cells)
    return distance
