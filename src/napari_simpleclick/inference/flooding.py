"""flooded: a first answer, mixed with what a watershed makes of the same click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from scipy import ndimage
from skimage import draw, segmentation

from napari_simpleclick.inference.crops import crop_image, crop_prediction, fill_box
from napari_simpleclick.inference.transforms import crop_clicks, whole
from napari_simpleclick.types import Prediction, Roi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.types import Click

_OBJECT: Final = 1
_BACKGROUND: Final = 2
_RADIUS: Final = 3.5
"""Of the disk round a click, in pixels of what is flooded."""
_SIZES: Final = (128, 224)
"""Of what is flooded, in pixels: smaller boxes are enlarged, larger ones reduced."""
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
    are. The box around the object, and one twice as large, are flooded from the clicks
    and from their frames, where those are not the image's. The more a flooding agrees
    with the answer's mask (IoU), the more it weighs; one that finds another object
    hardly changes anything.

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
        Held for the larger box; the answer itself where no flooding agrees with it.

    References
    ----------
    Beucher and Meyer, The Morphological Approach to Segmentation, 1993.
    """
    if not (answer.inside > threshold).any():
        return answer
    around = doubled(crop, answer.shape)
    floods = [_Flood.of(box, image, clicks) for box in {crop, around}]
    agreements = [flood.agreement(answer, threshold) for flood in floods]
    total = sum(agreements)
    if not total:
        return answer
    weight = min(total / len(floods), _MOST)
    mixed = answer.within(around) * np.float32(1 - weight)
    for flood, agreement in zip(floods, agreements, strict=True):
        inner = flood.box.moved(-around.row_min, -around.col_min)
        mixed[inner.slices] += flood.filled(weight * agreement / total)
    return Prediction(mixed, answer.roi, box=around, shape=answer.shape)


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


@dataclass(frozen=True, slots=True)
class _Flood:
    """The object's side of a flooded box: (size, size), bool."""

    box: Roi
    found: NDArray[np.bool_]

    @classmethod
    def of(cls, box: Roi, image: NDArray[np.generic], clicks: Sequence[Click]) -> Self:
        """Flood a box of an image from its clicks."""
        size = int(np.clip(max(box.shape), *_SIZES))
        shown = crop_image(image, box, size)
        grey = shown.mean(axis=2) if shown.ndim == 3 else shown
        stretch = max(box.shape) / np.array(box.shape)  # of the square, along each axis
        smooth = ndimage.gaussian_filter(grey, stretch)
        slopes = [ndimage.sobel(smooth, axis) * stretch[axis] for axis in (0, 1)]
        marks = _frame(box, image.shape[:2], size)
        for click in clicks:
            points = crop_clicks([click], box, size, exact=True)
            row, col, _ = points[0 if click.is_positive else 1]
            disk = draw.disk((row, col), _RADIUS, shape=marks.shape)
            marks[disk] = _OBJECT if click.is_positive else _BACKGROUND
        return cls(box, segmentation.watershed(np.hypot(*slopes), marks) == _OBJECT)

    def agreement(self, answer: Prediction, threshold: float) -> float:
        """IoU with an answer's mask, within the box."""
        asked = crop_prediction(answer, self.box, len(self.found)) > threshold
        union = np.count_nonzero(asked | self.found)
        return np.count_nonzero(asked & self.found) / union if union else 0.0

    def filled(self, value: float) -> NDArray[np.float32]:
        """Return the box with this value on the object's side, and 0 elsewhere."""
        return fill_box(self.found * np.float32(value), self.box)


def _frame(box: Roi, shape: tuple[int, int], size: int) -> NDArray[np.uint8]:
    """Mark the sides of a box that lie within the image as background."""
    marks = np.zeros((size, size), np.uint8)
    is_inside = {
        (0, 0): box.row_min > 0,
        (0, -1): box.row_max < shape[0] - 1,
        (1, 0): box.col_min > 0,
        (1, -1): box.col_max < shape[1] - 1,
    }
    for axis, end in is_inside:
        if is_inside[axis, end] or not any(is_inside.values()):
            marks.swapaxes(0, axis)[end] = _BACKGROUND
    return marks
