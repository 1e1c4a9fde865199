"""Evaluation: the robot user clicks, the predictor answers, the IoU is noted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_simpleclick.evaluation.boundary import boundary_iou, surface_distance
from napari_simpleclick.evaluation.lockstep import Request, predict_together
from napari_simpleclick.evaluation.metrics import iou
from napari_simpleclick.evaluation.robot_user import next_click
from napari_simpleclick.evaluation.samples import counted, pixel_size_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.types import Click, Prediction, Sample


class Progress(Protocol):
    """Called after every click of an evaluation."""

    def __call__(
        self, sample: Sample, click: Click, prediction: Prediction, iou: float
    ) -> None:
        """Take note of the click, the answer to it and the answer's IoU."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SampleResult:
    """How one object's segmentation went.

    Parameters
    ----------
    name : str
        The sample's name.
    ious : ndarray
        (k,), float32 in [0, 1]: IoU after click 1 .. k.
    clicks : tuple of Click
        The k simulated clicks, in pixels of the image.
    seconds : float
        Time that the k predictions took; of a batch, this object's share.
    boundary_iou : float
        Boundary IoU after the last click, NaN where not measured.
    surface_mm : float
        Surface distance after the last click, in millimetres, infinite where there is
        no prediction, NaN where the size of a pixel is not known.
    """

    name: str
    ious: NDArray[np.float32]
    clicks: tuple[Click, ...]
    seconds: float = 0.0
    boundary_iou: float = math.nan
    surface_mm: float = math.nan


def evaluate_sample(
    predictor: ClickPredictor,
    sample: Sample,
    max_clicks: int = 20,
    progress: Progress | None = None,
) -> SampleResult:
    """Segment one object with simulated clicks, all of them: there is no early stop.

    Parameters
    ----------
    predictor : ClickPredictor
        What is evaluated; its threshold makes the masks.
    sample : Sample
        Image and object.
    max_clicks : int
        Number of clicks, at least 1.
    progress : Progress or None
        Called after every click.

    Returns
    -------
    SampleResult
        IoU after every click, and the clicks.

    Raises
    ------
    TypeError
        If the mask is not bool, or the predictor does not take the image's dtype.
    ValueError
        If `max_clicks` is less than 1, or image and mask have different sizes.

    References
    ----------
    Liu et al., SimpleClick, ICCV 2023, section 4: up to 20 simulated clicks, each on
    the prediction after the last; Sofiiuk et al., Reviving Iterative Training with
    Mask Guidance for Interactive Segmentation, 2021.
    """
    (result,) = evaluate_dataset(predictor, [sample], max_clicks, progress)
    return result


def evaluate_dataset(
    predictor: ClickPredictor,
    samples: Iterable[Sample],
    max_clicks: int = 20,
    progress: Progress | None = None,
    *,
    batch_size: int = 1,
) -> Iterator[SampleResult]:
    """Segment one batch of objects after the other, in lock-step.

    Parameters
    ----------
    predictor, max_clicks, progress
        As for `evaluate_sample`.
    samples : iterable of Sample
        Objects, taken one batch at a time.
    batch_size : int
        Objects that go through the network at once, at least 1.

    Yields
    ------
    SampleResult
        One for each sample, in order, as soon as its batch is done.

    Raises
    ------
    TypeError, ValueError
        As for `evaluate_sample`, or if `batch_size` is less than 1; once the first
        result is asked for.
    """
    if min(max_clicks, batch_size) < 1:
        raise ValueError(
            f"max_clicks: {max_clicks}, batch_size: {batch_size}, expected at least 1"
        )
    remaining = iter(samples)
    while batch := [_Course(sample) for sample in islice(remaining, batch_size)]:
        for _ in range(max_clicks):
            _click_once(predictor, batch, progress)
        yield from (course.result() for course in batch)


@dataclass(slots=True, eq=False)
class _Course:
    """One object on its way through the clicks."""

    sample: Sample
    clicks: list[Click] = field(default_factory=list)
    ious: list[float] = field(default_factory=list)
    prediction: Prediction | None = None
    mask: NDArray[np.bool_] = field(init=False)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.mask = np.zeros(self.sample.image.shape[:2], dtype=bool)

    def click(self) -> Request:
        """Add the robot user's next click, on what is wrong now."""
        self.clicks.append(next_click(self.sample.mask, self.mask, self.clicks))
        return Request(self.sample.image, tuple(self.clicks), self.prediction)

    def note(self, prediction: Prediction, threshold: float) -> None:
        """Take the answer to the last click."""
        self.prediction = prediction
        self.mask = counted(prediction.mask(threshold), self.sample)
        self.ious.append(iou(self.sample.mask, self.mask))

    def result(self) -> SampleResult:
        gt = self.sample.mask
        size = pixel_size_of(self.sample)
        return SampleResult(
            self.sample.name,
            np.array(self.ious, dtype=np.float32),
            tuple(self.clicks),
            self.seconds,
            boundary_iou(gt, self.mask),
            math.nan if size is None else surface_distance(gt, self.mask, size),
        )


def _click_once(
    predictor: ClickPredictor, batch: Sequence[_Course], progress: Progress | None
) -> None:
    requests = [course.click() for course in batch]
    start = perf_counter()
    predictions = predict_together(predictor, requests)
    seconds = (perf_counter() - start) / len(batch)
    for course, prediction in zip(batch, predictions, strict=True):
        course.note(prediction, predictor.threshold)
        course.seconds += seconds
        if progress is not None:
            progress(course.sample, course.clicks[-1], prediction, course.ious[-1])
