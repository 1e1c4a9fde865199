"""What is to be seen of an object after some clicks, and its picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from napari_simpleclick.evaluation.metrics import dice_of_iou, iou
from napari_simpleclick.evaluation.run import evaluate_sample
from napari_simpleclick.evaluation.samples import VolumeSample, pixel_size_of
from napari_simpleclick.evaluation.volume_run import evaluate_volume
from napari_simpleclick.inference.intensity import to_display
from napari_simpleclick.io.overlay import draw_overlay, save_row
from napari_simpleclick.types import Roi

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.evaluation.samples import SliceClick
    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.types import Click, Prediction, Sample

_MARGIN: Final = 0.5
_MIN_SIDE: Final = 64
_HEIGHT: Final = 240


class Clicked(Protocol):
    """Called after every click on an object; it may raise, to stop there."""

    def __call__(self, clicks: int) -> None:
        """Take note of the number of clicks made."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An image or one slice of a volume, with an object on it after some clicks.

    Parameters
    ----------
    image : ndarray
        (H, W) or (H, W, 3), uint8.
    truth, mask : ndarray
        (H, W), bool: the annotation, and what was predicted.
    clicks : tuple of Click
        Those on this image or slice, at least one.
    pixel_size : tuple of float
        Height and width of a pixel, in any unit.
    index : int or None
        The slice of a volume.
    """

    image: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    clicks: tuple[Click, ...]
    pixel_size: tuple[float, float]
    index: int | None = None

    @property
    def dice(self) -> float:
        """Dice coefficient of the two masks, in [0, 1]."""
        return float(dice_of_iou(iou(self.truth, self.mask)))


def view_after(
    predictor: ClickPredictor, sample: Sample, n_clicks: int, clicked: Clicked
) -> View:
    """Let the robot user click an object again, and look at it.

    Of a volume, one of the clicked slices is seen: that with the most wrong pixels, and
    where none has any, that on which the object is largest.

    Parameters
    ----------
    predictor : ClickPredictor
        What answers.
    sample : Sample
        The object; clicks are those of its evaluation.
    n_clicks : int
        Number of clicks.
    clicked : Clicked
        Called after every click.
    """
    if isinstance(sample, VolumeSample):
        return _view_of_volume(predictor, sample, n_clicks, clicked)
    predictions: list[Prediction] = []

    def note(sample: Sample, click: Click, prediction: Prediction, iou: float) -> None:
        predictions.append(prediction)
        clicked(len(predictions))

    result = evaluate_sample(predictor, sample, n_clicks, note)
    image = sample.image
    shown = image if image.dtype == np.uint8 else to_display(image)
    return View(
        shown.astype(np.uint8, copy=False),
        sample.mask,
        predictions[-1].mask(predictor.threshold),
        result.clicks,
        pixel_size_of(sample) or (1.0, 1.0),
    )


def _view_of_volume(
    predictor: ClickPredictor, sample: VolumeSample, n_clicks: int, clicked: Clicked
) -> View:
    clicks: list[SliceClick] = []
    last = np.zeros_like(sample.mask)

    def note(click: SliceClick, volume: NDArray[np.bool_]) -> None:
        clicks.append(click)
        last[:] = volume
        clicked(len(clicks))

    evaluate_volume(predictor, sample, n_clicks, note)
    index = _worst_slice(sample.mask, last, {click.index for click in clicks})
    return View(
        sample.image[index].astype(np.uint8, copy=False),
        sample.mask[index],
        last[index],
        tuple(click for click in clicks if click.index == index),
        pixel_size_of(sample) or (1.0, 1.0),
        index,
    )


def _worst_slice(
    truth: NDArray[np.bool_], volume: NDArray[np.bool_], indices: set[int]
) -> int:
    def weight(index: int) -> tuple[int, int]:
        wrong = np.count_nonzero(truth[index] ^ volume[index])
        return int(wrong), int(np.count_nonzero(truth[index]))

    return max(sorted(indices), key=weight)


def draw_view(view: View, picture: Path) -> None:
    """Write a PNG file: left the annotation, right the prediction and the clicks."""
    box = surroundings(view.truth | view.mask, view.clicks)
    panels = [
        draw_overlay(
            view.image[box.slices],
            mask[box.slices].astype(np.uint8),
            [
                replace(click, row=click.row - box.row_min, col=click.col - box.col_min)
                for click in clicks
            ],
            pixel_size=view.pixel_size,
            height=_HEIGHT,
        )
        for mask, clicks in ((view.truth, ()), (view.mask, view.clicks))
    ]
    save_row(picture, panels)


def surroundings(mask: NDArray[np.bool_], clicks: Sequence[Click]) -> Roi:
    """Box of a mask and of clicks with a margin, about square, within the image.

    Parameters
    ----------
    mask : ndarray
        (H, W), bool; empty only where there are clicks.
    clicks : sequence of Click
        Whole coordinates.

    Returns
    -------
    Roi
        In pixels of the image.
    """
    rows, cols = np.nonzero(mask)
    rows = np.append(rows, [int(click.row) for click in clicks])
    cols = np.append(cols, [int(click.col) for click in clicks])
    extent = max(np.ptp(rows), np.ptp(cols)) + 1
    half = max((1 + _MARGIN) * extent, _MIN_SIDE) / 2
    ends = []
    for positions, size in zip((rows, cols), mask.shape, strict=True):
        centre = (positions.min() + positions.max()) / 2
        ends += [max(int(centre - half), 0), min(int(centre + half), size - 1)]
    return Roi(*ends)
