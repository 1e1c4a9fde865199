"""Crops: a box of an image as a square for the network, and its answer as a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.transforms import whole
from napari_simpleclick.modeling.bilinear import stretched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.types import Prediction, Roi


def crop_image(
    image: NDArray[np.generic],
    roi: Roi,
    size: int,
    *,
    origin: tuple[int, int] = (0, 0),
) -> NDArray[np.float32]:
    """Cut out a box and resize it to a square, bilinear between corner pixel centres.

    Only the pixels under the new grid are read, so the cost is that of the crop
    however large the image is.

    Parameters
    ----------
    image : ndarray
        (H, W) or (H, W, 3), any real dtype.
    roi : Roi
        Box inside the image.
    size : int
        Side of the square, in pixels.
    origin : tuple of int
        Row and column of the pixel ``image[0, 0]``, where it is a part of an image
        that is 0 beyond it.

    Returns
    -------
    ndarray
        (size, size) or (size, size, 3), float32, in the range of the image.
    """
    top, bottom, down = _grid(roi.row_min, roi.row_max, size)
    left, right, across = _grid(roi.col_min, roi.col_max, size)
    if image.ndim == 3:
        down, across = down[..., None], across[..., None]
    held = whole(image.shape[:2]).moved(*origin).shared(roi)
    if held is None:
        return np.zeros((size, size, *image.shape[2:]), dtype=np.float32)
    box = image[held.moved(-origin[0], -origin[1]).slices]

    def along(rows: NDArray[np.intp]) -> NDArray[np.float32]:
        line = box[rows.clip(held.row_min, held.row_max) - held.row_min]
        line[(rows < held.row_min) | (rows > held.row_max)] = 0
        near, far = (across_it(line, cols) for cols in (left, right))
        return _blend(near, far, across)

    def across_it(
        line: NDArray[np.generic], cols: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        found = line.take(cols - held.col_min, axis=1, mode="clip").astype(np.float32)
        found[:, (cols < held.col_min) | (cols > held.col_max)] = 0
        return found

    return _blend(along(top), along(bottom), down[:, None])


def crop_unit_rgb(
    image: NDArray[np.generic], roi: Roi, size: int
) -> NDArray[np.float32]:
    """Cut out a box as a network sees it; grey is repeated in all channels.

    Parameters
    ----------
    image : ndarray
        (H, W) or (H, W, 3), uint8, or float32 in [0, 1].
    roi : Roi
        Box inside the image.
    size : int
        Side of the square, in pixels.

    Returns
    -------
    ndarray
        (3, size, size), float32 in [0, 1].

    Raises
    ------
    ValueError
        If the box of a float image leaves that range.
    """
    crop = crop_image(image, roi, size)
    if image.dtype == np.uint8:
        crop /= 255
    elif not (crop.min() > -1e-3 and crop.max() < 1 + 1e-3):
        raise ValueError(
            f"image: float32 from {crop.min()} to {crop.max()}, expected 0 to 1"
        )
    if crop.ndim == 3:
        return crop.transpose(2, 0, 1)
    return np.broadcast_to(crop, (3, *crop.shape))


def crop_prediction(prediction: Prediction, roi: Roi, size: int) -> NDArray[np.float32]:
    """Cut out a box of a probability map as `crop_image` does.

    Parameters
    ----------
    prediction : Prediction
        Of the image.
    roi : Roi
        Box inside the image.
    size : int
        Side of the square, in pixels.

    Returns
    -------
    ndarray
        (size, size), float32.
    """
    origin = prediction.box.row_min, prediction.box.col_min
    return crop_image(prediction.inside, roi, size, origin=origin)


def fill_box(
    crop: NDArray[np.float32], roi: Roi, part: Roi | None = None
) -> NDArray[np.float32]:
    """Give a crop the size of its box again, the inverse of `crop_image`.

    Parameters
    ----------
    crop : ndarray
        (S, S), float32.
    roi : Roi
        Box that the crop was cut from.
    part : Roi or None
        The part of the box to fill; None for all of it.

    Returns
    -------
    ndarray
        (h, w), float32: a pixel of the image each.
    """
    wanted = None if part is None else part.moved(-roi.row_min, -roi.col_min)
    return stretched(crop, roi.shape, wanted)


def _grid(
    first: int, last: int, size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Left and right neighbour of each grid position, and the weight of the right."""
    position = np.linspace(first, last, size)
    left = np.floor(position).astype(np.intp)
    return left, np.minimum(left + 1, last), (position - left).astype(np.float32)


def _blend(
    near: NDArray[np.float32], far: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return near + weight * (far - near), in the memory of `far`."""
    far -= near
    far *= weight
    far += near
    return far
