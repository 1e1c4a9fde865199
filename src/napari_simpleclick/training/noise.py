"""Random fields on a square grid, cheap enough for every training sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray


SPREAD = 1.2
"""Makes up for the variance that bicubic interpolation takes away."""


def smooth_noise(
    rng: np.random.Generator, size: int, cells: int
) -> NDArray[np.float32]:
    """Draw normal numbers on a coarse grid and interpolate.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    size : int
        Side of the field in pixels.
    cells : int
        Grid cells along a side: the field varies over size / cells pixels.

    Returns
    -------
    ndarray
        (size, size), float32, mean about 0, standard deviation about 1.
    """
    if cells >= size:
        return rng.standard_normal((size, size), dtype=np.float32)
    grid = torch.from_numpy(rng.standard_normal((cells + 1,) * 2, dtype=np.float32))
    field = functional.interpolate(
        grid[None, None], size=(size, size), mode="bicubic", align_corners=True
    )[0, 0].numpy()
    result: NDArray[np.float32] = field * np.float32(SPREAD)
    return result


def correlated_noise(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Draw a texture: two or three octaves of a random finest scale.

    Returns
    -------
    ndarray
        (size, size), float32, mean about 0, standard deviation about 1.
    """
    cells = int(np.exp(rng.uniform(np.log(8), np.log(size))))
    field = np.zeros((size, size), np.float32)
    total = 0.0
    for octave in range(int(rng.integers(1, 4))):
        weight = float(rng.uniform(0.3, 1))
        field += np.float32(weight) * smooth_noise(rng, size, max(2, cells >> octave))
        total += weight**2
    result: NDArray[np.float32] = field / np.float32(np.sqrt(total))
    return result
