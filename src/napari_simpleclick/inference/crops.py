"""Crops: a box of an image as a square for the network, and its answer as a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.transforms import whole
from napari_simpleclick.modeling.bilinear import mixing, neighbours, stretched

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

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
    held = whole(image.shape[:2]).moved(*origin).shared(roi)
    if held is None:
        return np.zeros((size, size, *image.shape[2:]), dtype=np.float32)
    box = image[held.moved(-origin[0], -origin[1]).slices]
    rows, down = _sampled(roi.row_min, roi.row_max, size, held.row_min, held.row_max)
    cols, across = _sampled(roi.col_min, roi.col_max, size, held.col_min, held.col_max)
    part = box[rows].take(cols, axis=1, mode="clip").astype(np.float32)
    lines = (down @ part.reshape(len(rows), -1)).reshape(size, len(cols), -1)
    crop: NDArray[np.float32] = across @ lines.swapaxes(0, 1).reshape(len(cols), -1)
    return crop.reshape(size, size, *image.shape[2:]).swapaxes(0, 1)


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


def _sampled(
    first: int, last: int, size: int, held_first: int, held_last: int
) -> tuple[NDArray[np.intp], sparse.csr_array]:
    """Lay `size` points on a line of pixels, of which some are held, the others 0.

    Returns
    -------
    needed : ndarray
        (n,), int: the held pixels next to a point, counted from the first held one.
    weights : csr_array
        (size, n), float32: of these pixels, for each point.
    """
    index, weights = neighbours(np.linspace(first, last, size), last)
    weights[(index < held_first) | (index > held_last)] = 0
    held = index.clip(held_first, held_last) - held_first
    needed, places = np.unique(held, return_inverse=True)
    return needed, mixing(places.reshape(index.shape), weights, len(needed))
