"""EvaluationTask: one evaluation, from its first slice to its last click."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from napari_simpleclick.plugin.evaluation_objects import find_objects, samples
from napari_simpleclick.plugin.evaluation_state import (
    MeasuredObject,
    Progress,
    StoppedError,
)
from napari_simpleclick.plugin.packed_mask import PackedMask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.plugin.evaluation_objects import (
        AnnotatedImage,
        EvaluationSettings,
        SliceObject,
    )
    from napari_simpleclick.types import Click, Prediction, Sample


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationTask:
    """What a worker does for one evaluation; it knows no napari object.

    Parameters
    ----------
    annotated : AnnotatedImage
        Image and ground truth.
    settings : EvaluationSettings
        Which objects, and how many clicks.
    predictor : ClickPredictor
        What is evaluated.
    tell : callable
        Called in the worker's thread with the progress after every click, and with
        every object that is done.
    stop : Event
        Set it, and the task ends before the next click.
    """

    annotated: AnnotatedImage
    settings: EvaluationSettings
    predictor: ClickPredictor
    tell: Callable[[Progress | MeasuredObject], None]
    stop: Event

    def __call__(self) -> bool:
        """Evaluate; return whether all objects are done.

        Raises
        ------
        ValueError
            If there is no object.
        """
        try:
            self._evaluate(find_objects(self.annotated, self.settings, self.check))
        except StoppedError:
            return False
        return True

    def check(self) -> None:
        """End the task here if it is to stop."""
        if self.stop.is_set():
            raise StoppedError

    def _evaluate(self, objects: Sequence[SliceObject]) -> None:
        # It takes a while to import: not where the dock is made.
        from napari_simpleclick.evaluation.run import evaluate_dataset

        answers = _Answers(self, len(objects) * self.settings.max_clicks)
        by_name = {found.name(self.annotated.name): found for found in objects}
        todo = samples(self.annotated, objects)
        for result in evaluate_dataset(
            self.predictor, todo, self.settings.max_clicks, answers
        ):
            answer, found = answers.last, by_name[result.name]
            mask = PackedMask.of(answer.mask(self.predictor.threshold))
            self.tell(MeasuredObject(found, result, mask, answer.shape))


class _Answers:
    """Takes note of every answer, and stops where the task is to stop."""

    def __init__(self, task: EvaluationTask, all_clicks: int) -> None:
        self._task = task
        self._all_clicks = all_clicks
        self._clicks = 0
        self._start = perf_counter()
        self.last: Prediction
        task.tell(Progress(0, all_clicks))

    def __call__(
        self, sample: Sample, click: Click, prediction: Prediction, iou: float
    ) -> None:
        self._clicks += 1
        self.last = prediction
        seconds = perf_counter() - self._start
        self._task.tell(Progress(self._clicks, self._all_clicks, seconds))
        self._task.check()
