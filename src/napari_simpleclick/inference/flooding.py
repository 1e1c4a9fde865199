"""flooded: a first answer, mixed with what a watershed makes of the same click."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from scipy import ndimage
from skimage import draw, segmentation

from napari_simpleclick.inference.crops import crop_image, fill_box
from napari_simpleclick.inference.transforms import clicked_pixel, whole
from napari_simpleclick.types import Prediction, Roi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.types import Click

OBJECT: Final = 1
BACKGROUND: Final = 2
_LARGEST: Final = 448
"""Sides of a larger box are reduced to this before it is flooded, in pixels."""
_MOST: Final = 0.6
"""Largest weight of the floodings beside the answer, in [0, 1]."""


def flooded(
    answer: Prediction,
    image: NDArray[np.generic],
    clicks: Sequence[Click],
    crop: Roi,
    threshold: float,
) -> Prediction:
    """Mix the answer to a first click with floodings of the image from that click.

    A network knows about where an object ends, a watershed where the nearest edges
    are. The box around the object, and one twice as large, are flooded from the click
    and from their frames. A flooding weighs as much as it agrees with the answer, so
    one that runs out, or stays at the click, leaves the answer as it is.

    Parameters
    ----------
    answer : Prediction
        Of a first pass.
    image : ndarray
        (H, W) or (H, W, 3), any real dtype.
    clicks : sequence of Click
        All clicks so far.
    crop : Roi
        Box that the answer's mask is to be zoomed in to.
    threshold : float
        Of the answer's mask, in [0, 1].

    Returns
    -------
    Prediction
        Held for the larger box; the answer itself where it has no mask.

    References
    ----------
    Beucher and Meyer, The Morphological Approach to Segmentation, 1993.
    """
    around = doubled(crop, answer.shape)
    known = answer.within(around)
    mask = known > threshold
    if not mask.any():
        return answer
    floods, weights = [], []
    for box in {crop, around}:
        flood = np.zeros(around.shape, np.float32)
        inner = box.moved(-around.row_min, -around.col_min).slices
        flood[inner] = _flood(image, box, clicks)
        floods.append(flood)
        found = flood > 0.5
        weights.append((found & mask).sum() / (found | mask).sum())
    weight = np.mean(weights)
    if not weight:
        return answer
    mean = np.average(floods, axis=0, weights=weights).astype(np.float32)
    mixed = known + np.float32(min(weight, _MOST)) * (mean - known)
    return Prediction(mixed, answer.roi, box=around, shape=answer.shape)


def seeds(
    clicks: Sequence[Click], shape: tuple[int, int], radius: float = 3
) -> NDArray[np.uint8]:
    """Mark the pixels that clicks tell, a disk round each.

    Until there is a negative click, the frame of the image is background, for a
    flooding needs both; positive disks go over it.

    Parameters
    ----------
    clicks : sequence of Click
        In pixels of the image; later ones go over earlier ones.
    shape : tuple of int
        Height and width of the image, in pixels.
    radius : float
        Of the disks, in pixels.

    Returns
    -------
    ndarray
        (H, W), uint8: `OBJECT`, `BACKGROUND`, or 0 where nothing is known.
    """
    marks = np.zeros(shape, np.uint8)
    if all(click.is_positive for click in clicks):
        marks[[0, -1], :] = marks[:, [0, -1]] = BACKGROUND
    for click in clicks:
        disk = draw.disk(clicked_pixel(click), radius + 0.5, shape=shape)
        marks[disk] = OBJECT if click.is_positive else BACKGROUND
    return marks


def doubled(box: Roi, shape: tuple[int, int]) -> Roi:
    """Return a box of twice the sides around the same place.

    Parameters
    ----------
    box : Roi
        In pixels of the image.
    shape : tuple of int
        Height and width of the image, which cuts it, in pixels.
    """
    down, right = (round(side / 2) for side in box.shape)
    larger = Roi(
        box.row_min - down, box.row_max + down, box.col_min - right, box.col_max + right
    )
    return larger.shared(whole(shape)) or box


def _flood(
    image: NDArray[np.generic], box: Roi, clicks: Sequence[Click]
) -> NDArray[np.float32]:
    """Flood a box from its clicks: (h, w), float32, 1 for the object's side."""
    size = min(max(box.shape), _LARGEST)
    shown = crop_image(image, box, size)
    grey = shown.mean(axis=2) if shown.ndim == 3 else shown
    smooth = ndimage.gaussian_filter(grey, 1)
    edges = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1))
    marks = seeds([_in_crop(click, box, size) for click in clicks], edges.shape)
    found = segmentation.watershed(edges, marks) == OBJECT
    return fill_box(torch.from_numpy(found[None, None].astype(np.float32)), box)


def _in_crop(click: Click, box: Roi, size: int) -> Click:
    """Move a click to where `crop_image` puts it."""
    row, col = (
        (place - first) * (size - 1) / max(side - 1, 1)
        for place, first, side in zip(
            clicked_pixel(click), (box.row_min, box.col_min), box.shape, strict=True
        )
    )
    return replace(click, row=row, col=col)
