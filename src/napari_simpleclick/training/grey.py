"""to_grey: the one place where colour images become grey for training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def to_grey(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Average the colours of an image; canvases are grey.

    Parameters
    ----------
    image : ndarray
        (H, W), or (H, W, C) with C of 3 or 4; a fourth channel, alpha, is left out.

    Returns
    -------
    ndarray
        (H, W), the same dtype: the mean of red, green and blue, each counting the same
        (stains differ in hue, not in luminance), rounded where the dtype is integer.

    Raises
    ------
    ValueError
        If the shape is another.
    """
    if image.ndim == 2:
        return image
    if image.ndim != 3 or image.shape[2] not in (3, 4):
        raise ValueError(
            f"image: shape {image.shape}, expected (H, W), (H, W, 3) or (H, W, 4)"
        )
    mean = image[..., :3].astype(np.float64).mean(axis=-1)
    grey: NDArray[np.generic] = mean if image.dtype.kind == "f" else mean.round()
    return grey.astype(image.dtype)
