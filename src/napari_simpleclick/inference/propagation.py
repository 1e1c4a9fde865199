"""From some slices to the rest of a volume: interpolation between, propagation beyond.

Slices that a user has clicked on are right; what lies between two of them is a matter
of shape, and what lies beyond the last of them a matter of the image.
"""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import ndimage

from napari_simpleclick.types import Click, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_predictor import ClickPredictor

_LOST: Final = 0.5
"""IoU with the slice before, below which the object is taken to have ended."""


def interpolate(
    before: NDArray[np.bool_], after: NDArray[np.bool_], n: int
) -> NDArray[np.bool_]:
    """Fill the slices between two masks by blending their distance maps.

    Parameters
    ----------
    before, after : ndarray
        (H, W), bool: the object on the slice before the gap and on the one after it. It
        ends half-way towards a slice without it.
    n : int
        Slices in the gap.

    Returns
    -------
    ndarray
        (n, H, W), bool.

    References
    ----------
    Raya and Udupa, Shape-Based Interpolation of Multidimensional Objects, IEEE
    Transactions on Medical Imaging, 1990.
    """
    between = np.zeros((n, *before.shape), dtype=bool)
    boxes = ndimage.find_objects((before | after).view(np.uint8))
    if not boxes:
        return between
    (box,) = boxes  # outside both masks there is nothing to blend
    first, last = (_signed_distance(mask[box]) for mask in (before, after))
    if not before.any():
        first = np.full_like(last, -last.max())
    if not after.any():
        last = np.full_like(first, -first.max())
    for i, weight in enumerate(np.linspace(0, 1, n + 2)[1:-1]):
        between[(i, *box)] = (1 - weight) * first + weight * last > 0
    return between


def fill_between(
    masks: Mapping[int, NDArray[np.bool_]], shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """Make a volume of masks on some slices, interpolated between neighbours.

    Parameters
    ----------
    masks : mapping of int to ndarray
        By slice: (H, W), bool.
    shape : tuple of int
        Slices, height and width.

    Returns
    -------
    ndarray
        (n, H, W), bool; empty before the first of the slices and after the last.
    """
    volume = np.zeros(shape, dtype=bool)
    for index, mask in masks.items():
        volume[index] = mask
    for one, other in pairwise(sorted(masks)):
        gap = other - one - 1
        volume[one + 1 : other] = interpolate(masks[one], masks[other], gap)
    return volume


def propagate(
    predictor: ClickPredictor,
    images: Iterable[NDArray[np.generic]],
    mask: NDArray[np.bool_],
    reach: int,
) -> Iterator[NDArray[np.bool_]]:
    """Follow an object from slice to slice, until it is lost.

    On each slice the model gets the mask of the one before it, and a click in the
    middle of that.

    Parameters
    ----------
    predictor : ClickPredictor
        Predicts one slice.
    images : iterable of ndarray
        The slices ahead, nearest first, as the predictor takes them.
    mask : ndarray
        (H, W), bool: the object on the slice that they follow.
    reach : int
        Most slices to go.

    Yields
    ------
    ndarray
        (H, W), bool: the object on the next slice; none is empty.
    """
    for image in islice(images, reach):
        if not mask.any():
            return
        start = Prediction(mask.astype(np.float32))
        ahead = predictor.predict(image, [_middle(mask)], start)
        found = ahead.mask(predictor.threshold)
        union = np.count_nonzero(found | mask)
        if np.count_nonzero(found & mask) < _LOST * union:
            return
        mask = found
        yield mask


def _signed_distance(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance to the outline in pixels, negative outside."""
    padded = np.pad(mask, 1)
    inside = ndimage.distance_transform_edt(padded)
    outside = ndimage.distance_transform_edt(~padded)
    signed: NDArray[np.float64] = (inside - outside)[1:-1, 1:-1]
    return signed


def _middle(mask: NDArray[np.bool_]) -> Click:
    """Return a positive click on the pixel deepest inside a mask."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, col = np.unravel_index(depth.argmax(), depth.shape)
    return Click(int(row), int(col))
