"""Random changes of contrast, brightness, sharpness and noise, and artefacts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from napari_simpleclick.training.artefacts import add_artefact
from napari_simpleclick.training.noise import smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float32]


def distort_intensity(rng: np.random.Generator, image: Image) -> Image:
    """Change contrast, brightness, sharpness and noise at random.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    image : ndarray
        (C, C), float32, about [0, 1].

    Returns
    -------
    ndarray
        (C, C), float32 in [0, 1].
    """
    size = len(image)
    if rng.random() < 0.25:
        image = 1 - image
    if rng.random() < 0.5:
        low, high = rng.uniform(-0.1, 0.2), rng.uniform(0.6, 1.2)
        image = (image - low) / (high - low)
    image = np.clip(image, 0, 1)
    if rng.random() < 0.5:
        image = image ** math.exp(rng.uniform(-0.7, 0.6))
    if rng.random() < 0.3:
        field = smooth_noise(rng, size, int(rng.integers(1, 5)))
        image = image * np.exp(rng.uniform(0, 0.4) * field)
    if rng.random() < 0.12:
        image = add_artefact(rng, image)
    if rng.random() < 0.25:
        image = ndimage.gaussian_filter(image, rng.uniform(0.4, 2.0), truncate=3)
    if rng.random() < 0.4:
        image = _noisy(rng, image)
    if rng.random() < 0.2:
        image = _resampled(rng, image)
    if rng.random() < 0.25:
        image = 0.5 + (image - 0.5) * rng.uniform(0.4, 1) + rng.uniform(-0.2, 0.2)
    return image.clip(0, 1).astype(np.float32, copy=False)


def _noisy(rng: np.random.Generator, image: Image) -> Image:
    """Add white, signal-dependent or Rician noise, of one pixel or a few."""
    size = len(image)
    amplitude = np.float32(rng.uniform(0, 0.15))
    cells = size if rng.random() < 0.5 else int(size / rng.uniform(1.2, 4))
    noise = amplitude * smooth_noise(rng, size, cells)
    kind = rng.integers(3)
    if kind == 0:
        return image + noise
    if kind == 1:
        return image + noise * np.sqrt(np.maximum(image, 0))
    other = amplitude * smooth_noise(rng, size, cells)
    rician: Image = np.hypot(image + noise, other)
    return rician


def _resampled(rng: np.random.Generator, image: Image) -> Image:
    """Lose resolution, more along one axis, as thick or small slices do."""
    size = len(image)
    small = (size / np.exp(rng.uniform(0, np.log(5), 2))).astype(int)
    tensor = torch.from_numpy(image.astype(np.float32))[None, None]
    tensor = functional.interpolate(
        tensor, size=tuple(small.tolist()), mode="bilinear", align_corners=False
    )
    result: Image = functional.interpolate(
        tensor, size=(size, size), mode="bilinear", align_corners=False
    )[0, 0].numpy()
    return result
