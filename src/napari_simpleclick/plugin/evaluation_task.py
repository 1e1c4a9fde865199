"""EvaluationTask: one evaluation, from its first slice to its last click."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
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

        max_clicks = self.settings.max_clicks
        all_clicks = len(objects) * max_clicks
        clicks, start = count(1), perf_counter()
        last: Prediction

        def note(
            sample: Sample, click: Click, prediction: Prediction, iou: float
        ) -> None:
            nonlocal last
            last = prediction
            self.tell(Progress(next(clicks), all_clicks, perf_counter() - start))
            self.check()

        self.tell(Progress(0, all_clicks))
        by_name = {found.name(self.annotated.name): found for found in objects}
        todo = samples(self.annotated, objects)
        for result in evaluate_dataset(self.predictor, todo, max_clicks, note):
            mask = PackedMask.of(last.mask(self.predictor.threshold))
            self.tell(MeasuredObject(by_name[result.name], result, mask, last.shape))
