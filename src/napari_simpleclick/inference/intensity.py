"""What the network sees is what the user sees: raw slices to 8-bit images.

A slice goes through the layer's contrast limits (and gamma) to 256 grey levels, as on
the screen. Without limits, `display_range` takes robust percentiles of the slice or of
the volume.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK_PIXELS = 1 << 15  # pixels in float64 at any one time: they stay in the cache
_FLOAT32_MAX = float(np.finfo(np.float32).max)


def display_range(
    data: NDArray[np.generic],
    *,
    percentiles: tuple[float, float] = (0.5, 99.5),
    max_samples: int = 1_000_000,
) -> tuple[float, float]:
    """Contrast limits that a few bright or dark pixels cannot stretch.

    Parameters
    ----------
    data : ndarray
        A slice or volume of any shape; bool, integer or float. A large one is sampled
        on a regular grid, the same pixels at every call; lazy arrays that index like
        ndarrays are read there only.
    percentiles : tuple of float
        Lower and upper percentile of the finite values, in [0, 100].
    max_samples : int
        About how many pixels to look at, at least 1.

    Returns
    -------
    tuple of float
        Lower and upper limit, finite, within the range of float32. The extremes where
        the percentiles coincide but the values do not; both limits equal where all
        values are; (0, 1) for bool and where no value is finite.

    Raises
    ------
    TypeError
        If the data is complex, structured or not numeric.
    ValueError
        If the data is empty.
    """
    _check(data)
    if data.dtype.kind == "b":
        return 0.0, 1.0
    step = math.ceil((math.prod(data.shape) / max_samples) ** (1 / max(data.ndim, 1)))
    sample = np.asarray(data[(slice(None, None, step),) * data.ndim], np.float64)
    values = sample[np.isfinite(sample)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(values.clip(-_FLOAT32_MAX, _FLOAT32_MAX), percentiles)
    if low == high:
        low, high = values.min(), values.max()
    low, high = np.clip((low, high), -_FLOAT32_MAX, _FLOAT32_MAX)
    return float(low), float(high)


def to_display(
    image: NDArray[np.generic],
    limits: tuple[float, float] | None = None,
    *,
    gamma: float = 1.0,
) -> NDArray[np.uint8]:
    """Show a slice as the screen does, in 256 levels.

    Parameters
    ----------
    image : ndarray
        (H, W): bool, integer or float, any limits. Or (H, W, 3) or (H, W, 4) colour:
        integers over the whole range of their type, or floats in [0, 1]; alpha is
        dropped, and neither limits nor gamma apply: napari offers none for colour.
    limits : tuple of float, optional
        Values shown black and white; `display_range` of the slice where None. Two equal
        limits are a window without width: values above it are white, all others black,
        so a constant slice is black.
    gamma : float
        Exponent of the grey levels in [0, 1], above 0.

    Returns
    -------
    ndarray
        (H, W) or (H, W, 3), uint8, a new array: 0 at the lower limit and below, 255 at
        the upper and above, rounded to the nearest level between. NaN is black, +inf
        white, -inf black.

    Raises
    ------
    TypeError
        If the image is complex, structured or not numeric.
    ValueError
        If the image is empty or has another shape, or limits or gamma are out of range.
    """
    _check(image)
    is_colour = image.ndim == 3 and image.shape[-1] in (3, 4)
    if not is_colour and image.ndim != 2:
        raise ValueError(
            f"image has shape {image.shape}; expected (H, W), (H, W, 3) or (H, W, 4)"
        )
    if not (math.isfinite(gamma) and gamma > 0):
        raise ValueError(f"gamma is {gamma}; expected a finite number above 0")
    if is_colour:
        return _colour(image[..., :3])
    low, high = display_range(image) if limits is None else limits
    if not (math.isfinite(high - low) and low <= high):
        raise ValueError(f"limits are {(low, high)}; expected finite low <= high")
    return _levels(image, float(low), float(high), gamma)


def _colour(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Colour (H, W, 3) in 8 bits: the range of an integer type, [0, 1] otherwise."""
    if image.dtype == np.uint8:
        return np.array(image, np.uint8)
    high = float(np.iinfo(image.dtype.str).max) if image.dtype.kind in "ui" else 1.0
    return _levels(image, 0.0, high, 1.0)


def _levels(
    image: NDArray[np.generic], low: float, high: float, gamma: float
) -> NDArray[np.uint8]:
    """Levels of [low, high]; those of short integers are looked up in a table."""
    if image.dtype.kind not in "ui" or image.dtype.itemsize > 2:
        return _computed_levels(image, low, high, gamma)
    bits = image.dtype.str.replace("i", "u")
    values = np.arange(np.iinfo(bits).max + 1, dtype=bits)
    if image.size <= values.size:
        return _computed_levels(image, low, high, gamma)
    table = _computed_levels(values.view(image.dtype.str)[:, None], low, high, gamma)
    levels: NDArray[np.uint8] = table[:, 0].take(np.asarray(image).view(bits))
    return levels


def _computed_levels(
    image: NDArray[np.generic], low: float, high: float, gamma: float
) -> NDArray[np.uint8]:
    """Levels of [low, high], a block of rows at a time: float64 throughout.

    float64 holds small differences between large integers; blocks keep an 8192 x 8192
    slice from taking 512 MiB for it.
    """
    levels = np.empty(image.shape, np.uint8)
    rows = max(1, _BLOCK_PIXELS // math.prod(image.shape[1:]))
    for start in range(0, len(image), rows):
        block = np.asarray(image[start : start + rows], np.float64)
        if low == high:
            unit = (block > high).astype(np.float64)
        else:
            unit = (np.fmin(np.fmax(block, low), high) - low) / (high - low)
        if gamma != 1.0:
            unit **= gamma
        levels[start : start + rows] = np.rint(unit * 255)
    return levels


def _check(data: NDArray[np.generic]) -> None:
    if data.dtype.kind not in "buif":
        raise TypeError(
            f"image has dtype {data.dtype}; expected bool, integer or floating point"
        )
    if 0 in data.shape:
        raise ValueError(f"image has shape {data.shape}; expected at least one pixel")
