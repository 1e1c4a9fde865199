"""Whole volumes: the robot user clicks on slices, and the rest is filled in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_simpleclick.evaluation.boundary import surface_distance
from napari_simpleclick.evaluation.metrics import iou
from napari_simpleclick.evaluation.robot_user import next_click
from napari_simpleclick.evaluation.run import SampleResult, evaluate_dataset
from napari_simpleclick.evaluation.samples import SliceClick, VolumeSample
from napari_simpleclick.inference.propagation import fill_between, propagate
from napari_simpleclick.types import Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.types import Sample


class VolumeProgress(Protocol):
    """Called after every click in a volume."""

    def __call__(self, click: SliceClick, volume: NDArray[np.bool_]) -> None:
        """Take note of the click and of the mask after it, (n, H, W)."""
        ...


def evaluate_any(
    predictor: ClickPredictor,
    samples: Iterable[Sample],
    max_clicks: int = 20,
    *,
    batch_size: int = 1,
) -> Iterator[SampleResult]:
    """Measure objects on images as `evaluate_dataset`, in volumes as `evaluate_volume`.

    Parameters and results are those of `evaluate_dataset`; volumes go one by one.
    """
    remaining = iter(samples)
    for first in remaining:
        rest = chain([first], remaining)
        if isinstance(first, VolumeSample):
            yield evaluate_volume(predictor, first, max_clicks)
        else:
            yield from evaluate_dataset(
                predictor, rest, max_clicks, batch_size=batch_size
            )


def evaluate_volume(
    predictor: ClickPredictor,
    sample: VolumeSample,
    max_clicks: int = 20,
    progress: VolumeProgress | None = None,
) -> SampleResult:
    """Segment one object of a volume with simulated clicks on its slices.

    Each click goes to the slice with the most wrong pixels, of those that may be
    clicked on, and there to where `next_click` says. It builds on what the volume shows
    on that slice. Then all slices without a click are filled anew: between two clicked
    ones by the shape of their masks, beyond the outermost by propagation.

    Parameters
    ----------
    predictor : ClickPredictor
        Predicts one slice.
    sample : VolumeSample
        The object.
    max_clicks : int
        Number of clicks, at least 1. Where no slice has an error any more, the rest of
        them changes nothing.
    progress : VolumeProgress or None
        Called after every click.

    Returns
    -------
    SampleResult
        IoU of all voxels after every click; the clicks are `SliceClick`. The surface
        distance is that in three dimensions; there is no boundary IoU.

    Raises
    ------
    ValueError
        If `max_clicks` is less than 1.
    """
    if max_clicks < 1:
        raise ValueError(f"max_clicks: {max_clicks}, expected at least 1")
    course = _Course(predictor, sample)
    ious: list[float] = []
    while len(ious) < max_clicks and course.click():
        ious.append(iou(sample.mask, course.volume))
        if progress is not None:
            progress(course.clicks[-1], course.volume)
    ious += ious[-1:] * (max_clicks - len(ious))
    return course.result(ious)


@dataclass(slots=True, eq=False)
class _Course:
    """One object on its way through the clicks."""

    predictor: ClickPredictor
    sample: VolumeSample
    clicks: list[SliceClick] = field(default_factory=list)
    predictions: dict[int, Prediction] = field(default_factory=dict)
    volume: NDArray[np.bool_] = field(init=False)
    seconds: float = 0.0
    _tails: dict[int, tuple[Prediction, list[NDArray[np.bool_]]]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.volume = np.zeros_like(self.sample.mask)

    def click(self) -> bool:
        """Mend the worst slice and fill the others; say whether one was wrong."""
        slices = list(self.sample.slices)
        wrong = self.volume[slices] ^ self.sample.mask[slices]
        errors = np.count_nonzero(wrong, axis=(1, 2))
        if not errors.any():
            return False
        index = slices[int(errors.argmax())]
        self._click_on(index)
        start = perf_counter()
        self.volume = self._fill()
        self.seconds += perf_counter() - start
        return True

    def result(self, ious: Sequence[float]) -> SampleResult:
        mask, size = self.sample.mask, self.sample.voxel_size
        return SampleResult(
            self.sample.name,
            np.array(ious, dtype=np.float32),
            tuple(self.clicks),
            self.seconds,
            surface_mm=(
                math.nan if size is None else surface_distance(mask, self.volume, size)
            ),
        )

    def _click_on(self, index: int) -> None:
        shown, before = self.volume[index], self.predictions.get(index)
        if before is None and shown.any():
            before = Prediction(shown.astype(np.float32))
        own = [click for click in self.clicks if click.index == index]
        new = next_click(self.sample.mask[index], shown, own)
        self.clicks.append(SliceClick(new.row, new.col, new.is_positive, index))
        start = perf_counter()
        self.predictions[index] = self.predictor.predict(
            self.sample.image[index], [*own, new], before
        )
        self.seconds += perf_counter() - start

    def _fill(self) -> NDArray[np.bool_]:
        threshold = self.predictor.threshold
        masks = {i: p.mask(threshold) for i, p in self.predictions.items()}
        volume = fill_between(masks, self.sample.mask.shape)
        for end, step in ((min(masks), -1), (max(masks), 1)):
            for i, mask in enumerate(self._tail(end, step, masks[end]), 1):
                volume[end + i * step] = mask
        return volume

    def _tail(
        self, end: int, step: int, mask: NDArray[np.bool_]
    ) -> list[NDArray[np.bool_]]:
        """Propagate from an outermost slice, unless its prediction is the same."""
        known, tail = self._tails.get(step, (None, []))
        if known is not self.predictions[end]:
            image = self.sample.image
            ahead = image[end + 1 :] if step > 0 else image[:end][::-1]
            tail = list(propagate(self.predictor, ahead, mask, self.sample.reach))
            self._tails[step] = self.predictions[end], tail
        return tail
