"""Evaluation: the robot user clicks, the predictor answers, the IoU is noted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_simpleclick.evaluation.metrics import (
    iou,
    miou_at_k,
    number_of_clicks,
    number_of_failures,
)
from napari_simpleclick.evaluation.robot_user import next_click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.inference.predictor import Predictor
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
    """

    name: str
    ious: NDArray[np.float32]
    clicks: tuple[Click, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """The figures that papers report of a data set.

    Parameters
    ----------
    n_objects : int
        Objects evaluated.
    miou : ndarray
        (k,), float64 in [0, 1]: mIoU@1 .. mIoU@k.
    noc : mapping of float to float
        Mean number of clicks to each target IoU.
    failures : mapping of float to int
        Objects that did not reach each target IoU.
    """

    n_objects: int
    miou: NDArray[np.float64]
    noc: Mapping[float, float]
    failures: Mapping[float, int]


def evaluate_sample(
    predictor: Predictor,
    sample: Sample,
    max_clicks: int = 20,
    progress: Progress | None = None,
) -> SampleResult:
    """Segment one object with simulated clicks, all of them: there is no early stop.

    Parameters
    ----------
    predictor : Predictor
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
    ValueError
        If `max_clicks` is less than 1, or image and mask have different sizes.

    References
    ----------
    Liu et al., SimpleClick, ICCV 2023, section 4: up to 20 simulated clicks, each on
    the prediction after the last; Sofiiuk et al., Reviving Iterative Training with
    Mask Guidance for Interactive Segmentation, 2021.
    """
    if max_clicks < 1:
        raise ValueError(f"max_clicks: {max_clicks}, expected at least 1")
    clicks: list[Click] = []
    ious: list[float] = []
    prediction: Prediction | None = None
    mask = np.zeros(sample.image.shape[:2], dtype=bool)
    for _ in range(max_clicks):
        clicks.append(next_click(sample.mask, mask, clicks))
        prediction = predictor.predict(sample.image, clicks, prediction)
        mask = prediction.mask(predictor.threshold)
        ious.append(iou(sample.mask, mask))
        if progress is not None:
            progress(sample, clicks[-1], prediction, ious[-1])
    return SampleResult(sample.name, np.array(ious, dtype=np.float32), tuple(clicks))


def evaluate_dataset(
    predictor: Predictor,
    samples: Iterable[Sample],
    max_clicks: int = 20,
    progress: Progress | None = None,
) -> Iterator[SampleResult]:
    """Segment one object after the other, each result as soon as it is there.

    Parameters
    ----------
    predictor, max_clicks, progress
        As for `evaluate_sample`.
    samples : iterable of Sample
        Objects, taken one at a time.

    Yields
    ------
    SampleResult
        One for each sample, in order.
    """
    for sample in samples:
        yield evaluate_sample(predictor, sample, max_clicks, progress)


def summarize(
    results: Sequence[SampleResult], targets: Sequence[float] = (0.8, 0.85, 0.9)
) -> Summary:
    """Condense the results of a data set.

    Parameters
    ----------
    results : sequence of SampleResult
        At least one, all with the same number of clicks.
    targets : sequence of float
        IoUs in [0, 1] for the number of clicks; the defaults are the paper's.

    Returns
    -------
    Summary
        mIoU after each click; number of clicks and failures for each target.

    Raises
    ------
    ValueError
        If there is no result, or the numbers of clicks differ.
    """
    counts = {len(result.ious) for result in results}
    if len(counts) != 1:
        raise ValueError(f"results: {sorted(counts)} clicks each, expected one number")
    ious = np.stack([result.ious for result in results])
    (k,) = counts
    return Summary(
        n_objects=len(results),
        miou=miou_at_k(ious),
        noc={t: float(number_of_clicks(ious, t, k).mean()) for t in targets},
        failures={t: number_of_failures(ious, t, k) for t in targets},
    )
