"""What a predictor refuses, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.transforms import clicked_pixel, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.types import Click, Prediction


def check_image(image: NDArray[np.generic]) -> None:
    """Refuse an image that is not (H, W) or (H, W, 3), uint8 or float32."""
    if image.dtype not in (np.uint8, np.float32):
        raise TypeError(f"image: dtype {image.dtype}, expected uint8 or float32")
    is_plane = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if not is_plane or not image.size:
        raise ValueError(f"image: shape {image.shape}, expected (H, W) or (H, W, 3)")


def check_clicks(clicks: Sequence[Click], shape: tuple[int, int]) -> None:
    """Refuse no clicks, and clicks outside an image of this shape."""
    if not clicks:
        raise ValueError("clicks: none, expected at least one")
    for click in clicks:
        is_finite = np.isfinite(click.row) and np.isfinite(click.col)
        row, col = clicked_pixel(click) if is_finite else (-1, -1)
        if not (0 <= row < shape[0] and 0 <= col < shape[1]):
            raise ValueError(f"clicks: {click} lies outside the image of shape {shape}")


def check_previous(previous: Prediction, shape: tuple[int, int]) -> None:
    """Refuse a prediction that is not about an image of this shape."""
    roi, inside = previous.roi, previous.inside
    if inside.dtype != np.float32:
        raise TypeError(f"previous: dtype {inside.dtype}, expected float32")
    if previous.shape != shape:
        raise ValueError(f"previous: shape {previous.shape}, expected {shape}")
    if roi is not None and roi.shared(whole(shape)) != roi:
        raise ValueError(f"previous: {roi} is no box in an image of shape {shape}")
    if roi is None and not (inside.min() >= 0 and inside.max() <= 1):  # from outside
        raise ValueError(
            f"previous: from {inside.min()} to {inside.max()}, expected 0 to 1"
        )
