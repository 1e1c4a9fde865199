"""Pictures of slices with the outlines of objects and the clicks upon them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from skimage import draw, io, segmentation, transform

from napari_simpleclick.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.types import Click

_OUTLINE = (1.0, 0.85, 0.0)
_POSITIVE, _NEGATIVE = (0.18, 0.8, 0.25), (1.0, 0.25, 0.21)
_GAP = 6


def draw_overlay(
    image: NDArray[np.uint8],
    labels: NDArray[np.integer],
    clicks: Sequence[Click],
    *,
    pixel_size: tuple[float, float] = (1.0, 1.0),
    height: int = 384,
) -> NDArray[np.uint8]:
    """Draw a slice, the outlines of its objects and the clicks.

    Parameters
    ----------
    image : ndarray
        (H, W) or (H, W, 3), uint8.
    labels : ndarray
        (H, W), integer; 0 is the background.
    clicks : sequence of Click
        Positive ones become green disks, negative ones red disks.
    pixel_size : tuple of float
        Height and width of a pixel, in any unit: the picture has the true proportions.
    height : int
        Of the picture, in pixels.

    Returns
    -------
    ndarray
        (height, width, 3), uint8.
    """
    rows, cols = image.shape[:2]
    width = round(height * cols * pixel_size[1] / (rows * pixel_size[0]))
    size = (height, max(width, 1))
    base = transform.resize(image, size, order=1)
    picture = base if base.ndim == 3 else np.repeat(base[..., None], 3, axis=2)
    big = transform.resize(
        labels, size, order=0, preserve_range=True, anti_aliasing=False
    )
    picture[segmentation.find_boundaries(big.astype(labels.dtype))] = _OUTLINE
    for click in clicks:
        centre = (
            (click.row + 0.5) / rows * size[0],
            (click.col + 0.5) / cols * size[1],
        )
        own = _POSITIVE if click.is_positive else _NEGATIVE
        for radius, colour in ((6, (1.0, 1.0, 1.0)), (4.5, own)):
            picture[draw.disk(centre, radius, shape=size)] = colour
    return (picture * 255).round().astype(np.uint8)


def save_row(path: Path, pictures: Sequence[NDArray[np.uint8]]) -> None:
    """Write pictures of one height, side by side, as a PNG file: whole, or none."""
    gap = np.zeros((pictures[0].shape[0], _GAP, 3), np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)][1:]
    with replacing(path) as partial:
        io.imsave(partial, np.concatenate(parts, axis=1), check_contrast=False)
