"""EvaluationController: a robot user on a ground truth, in the background."""

from __future__ import annotations

import logging
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_simpleclick.plugin.evaluation_objects import report_settings
from napari_simpleclick.plugin.evaluation_source import annotated_image
from napari_simpleclick.plugin.evaluation_state import (
    EvaluationState,
    MeasuredObject,
    Progress,
    figures_of,
)
from napari_simpleclick.plugin.evaluation_task import EvaluationTask
from napari_simpleclick.plugin.evaluation_view import EvaluationView
from napari_simpleclick.plugin.worker import reason_of

if TYPE_CHECKING:
    from pathlib import Path

    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from napari_simpleclick.plugin.evaluation_objects import (
        AnnotatedImage,
        EvaluationSettings,
    )
    from napari_simpleclick.plugin.evaluation_report import SaveTask
    from napari_simpleclick.plugin.shared_predictor import SharedPredictor
    from napari_simpleclick.plugin.worker import Runner

_LOG = logging.getLogger(__name__)


@dataclass(eq=False)
class _Run:
    """One evaluation: what it was asked, and what came of it."""

    image: Image
    model: str
    predictor: SharedPredictor
    settings: dict[str, Any]
    annotated: AnnotatedImage
    stop: Event = field(default_factory=Event)
    done: list[MeasuredObject] = field(default_factory=list)  # in order of time
    ranked: list[MeasuredObject] = field(default_factory=list)  # worst first


class EvaluationController:
    """Evaluates a model on a ground truth, and shows how each object went.

    Parameters
    ----------
    viewer : ViewerModel
        The napari viewer.
    runner : Runner
        Runs the evaluation outside the viewer's thread.

    Attributes
    ----------
    changed : Signal
        Emits the new `EvaluationState`.
    began : Signal
        Emits when the objects measured before are dropped.
    measured : Signal
        Emits the rank, 0 for the worst so far, and a new `MeasuredObject`.
    message : Signal
        Emits a sentence for the user.
    failed : Signal
        Emits a sentence about something that went wrong.
    """

    changed = Signal(EvaluationState)
    began = Signal()
    measured = Signal(int, MeasuredObject)
    message = Signal(str)
    failed = Signal(str)

    def __init__(self, viewer: ViewerModel, runner: Runner) -> None:
        self._viewer = viewer
        self._runner = runner
        self._view = EvaluationView(viewer)
        self._run: _Run | None = None
        self._state = EvaluationState()

    @property
    def state(self) -> EvaluationState:
        """What a dock shows now."""
        return self._state

    @property
    def objects(self) -> tuple[MeasuredObject, ...]:
        """What is measured so far, worst first."""
        return () if self._run is None else tuple(self._run.ranked)

    def is_own(self, layer: Layer) -> bool:
        """Say whether a layer shows results: no one's ground truth."""
        return layer in self._view

    def run(
        self,
        image: Image | None,
        labels: Labels | None,
        settings: EvaluationSettings,
        model: str,
        predictor: SharedPredictor | None,
    ) -> None:
        """Let the robot user click every object; what cannot be done is said.

        Parameters
        ----------
        image : Image or None
            What is segmented; it is never changed.
        labels : Labels or None
            Its ground truth, of the same shape; it is never changed.
        settings : EvaluationSettings
            Which objects, and how many clicks.
        model : str
            What reports call it.
        predictor : SharedPredictor or None
            What is evaluated; None where no model is loaded yet.
        """
        if self._state.is_busy:
            return
        try:
            run, task = self._prepared(image, labels, settings, model, predictor)
        except ValueError as error:
            self.failed.emit(str(error))
            return
        self._run = run
        self.began.emit()
        self._set(EvaluationState(is_running=True))
        self.message.emit("Looking for objects \u2026")
        self._runner.submit(
            task,
            lambda is_whole: self._end(run, is_whole),
            lambda error: self._fail(run, error),
        )

    def cancel(self) -> None:
        """Stop before the next click; what is measured, and saved, stays."""
        if self._run is not None and self._state.is_busy:
            self._run.stop.set()
            self.message.emit("Stopping \u2026")

    def show(self, rank: int) -> None:
        """Go to an object, by its place among the worst; show its clicks and mask."""
        if self._run is None:
            return
        try:
            self._view.show(self._run.image, self._run.ranked[rank])
        except ValueError as error:
            self.failed.emit(str(error))

    def save(self, folder: Path) -> None:
        """Write what the evaluate command writes, of what is measured, into a folder.

        Pictures of the worst and best objects take some clicks more: the worker makes
        them, too.
        """
        run = self._run
        if run is None or not run.done or self._state.is_busy:
            return
        try:
            task = self._saving(run, folder)
        except OSError as error:
            self.failed.emit(f"The report was not saved: {error}")
            return
        self._set(replace(self._state, is_saving=True, progress=Progress()))
        self.message.emit("Saving the report \u2026")
        self._runner.submit(task, self._end_saving, self._fail_saving)

    def close(self) -> None:
        """Stop the run, and let go of the runner and of all who listen."""
        signals = (self.changed, self.began, self.measured, self.message, self.failed)
        for signal in signals:
            signal.disconnect()
        if self._run is not None:
            self._run.stop.set()
        self._runner.close()

    def _prepared(
        self,
        image: Image | None,
        labels: Labels | None,
        settings: EvaluationSettings,
        model: str,
        predictor: SharedPredictor | None,
    ) -> tuple[_Run, EvaluationTask]:
        """Check what is asked for, and take it as it is now."""
        if image is None:
            raise ValueError("Open an image first, then press Run.")
        if labels is None:
            raise ValueError(
                "Open or draw the ground truth first: a Labels layer in which every "
                "object has a label of its own."
            )
        if predictor is None:
            raise ValueError("There is no model yet: choose one above, or wait for it.")
        annotated = annotated_image(image, labels, self._viewer.dims, settings.axis)
        told = report_settings(annotated, labels.name, settings)
        run = _Run(image, model, predictor, told, annotated)

        def tell(news: Progress | MeasuredObject) -> None:
            self._runner.report(lambda: self._hear(run, news))

        return run, EvaluationTask(annotated, settings, predictor, tell, run.stop)

    def _saving(self, run: _Run, folder: Path) -> SaveTask:
        # Many libraries, which nobody needs who measures nothing.
        from napari_simpleclick.plugin.evaluation_report import SaveTask, check_folder

        check_folder(folder)
        run.stop = Event()

        def tell(news: Progress) -> None:
            self._runner.report(lambda: self._set(replace(self._state, progress=news)))

        done = tuple(run.done)
        return SaveTask(
            folder,
            run.model,
            run.predictor,
            run.settings,
            run.annotated,
            done,
            tell,
            run.stop,
        )

    def _end_saving(self, sentence: str) -> None:
        self.message.emit(sentence)
        self._set(replace(self._state, is_saving=False))

    def _fail_saving(self, error: BaseException) -> None:
        _LOG.debug("The report could not be saved", exc_info=error)
        self.failed.emit(f"The report was not finished: {reason_of(error)}")
        self._set(replace(self._state, is_saving=False))

    def _hear(self, run: _Run, news: Progress | MeasuredObject) -> None:
        if run is not self._run:
            return
        if isinstance(news, Progress):
            if not news.clicks:
                count = news.all_clicks // run.settings["max_clicks"]
                self.message.emit(f"The robot user clicks {_objects(count)} \u2026")
            self._set(replace(self._state, progress=news))
            return
        rank = bisect_right(run.ranked, news.iou, key=lambda other: other.iou)
        run.done.append(news)
        run.ranked.insert(rank, news)
        self._set(replace(self._state, figures=figures_of(run.done)))
        self.measured.emit(rank, news)

    def _end(self, run: _Run, is_whole: bool) -> None:
        if run is not self._run:
            return
        hint = " Click a row to see how it went." if run.done else ""
        end = "." if is_whole else ", then stopped."
        self.message.emit(f"{_objects(len(run.done))} done{end}{hint}")
        self._set(replace(self._state, is_running=False))

    def _fail(self, run: _Run, error: BaseException) -> None:
        if run is not self._run:
            return
        _LOG.debug("The evaluation failed", exc_info=error)
        self.failed.emit(f"The evaluation ended: {reason_of(error)}")
        self._set(replace(self._state, is_running=False))

    def _set(self, state: EvaluationState) -> None:
        self._state = state
        self.changed.emit(state)


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"
