"""PredictionQueue: answers the requests of a session, in order, outside the viewer."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from napari_simpleclick.plugin.prediction_times import PredictionTimes
from napari_simpleclick.plugin.quick_turns import quick_turns
from napari_simpleclick.plugin.shared_predictor import SharedPredictor
from napari_simpleclick.plugin.worker import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.inference.session import PlacedClick, Request
    from napari_simpleclick.plugin.image_layer import RawSlice
    from napari_simpleclick.plugin.segmentation import Segmentation
    from napari_simpleclick.plugin.worker import Runner
    from napari_simpleclick.types import Prediction


_LOG = logging.getLogger(__name__)

MOST_IN_VAIN: Final = 0.3
"""Seconds of a prediction that may be begun before it is sure to be wanted."""


class PredictionQueue:
    """Loads models and computes masks, one task at a time.

    A request is asked for only when the one before is answered, so nothing stale ever
    waits in the queue, and every mask is an input to the next click.

    Parameters
    ----------
    runner : Runner
        Runs the tasks outside the viewer's thread.
    on_change : callable
        Called when a task begins or ends.
    on_message : callable
        Called with a sentence for the user.
    on_failure : callable
        Called with a sentence about a task that failed.
    on_answer : callable
        Called with every request whose answer was taken.
    """

    def __init__(
        self,
        runner: Runner,
        on_change: Callable[[], None],
        on_message: Callable[[str], None],
        on_failure: Callable[[str], None],
        on_answer: Callable[[Request], None],
    ) -> None:
        self._runner = runner
        self._on_change = on_change
        self._on_message = on_message
        self._on_failure = on_failure
        self._on_answer = on_answer
        self._run: Segmentation | None = None
        self._predictor: SharedPredictor | None = None
        self._running = 0
        self._model_count = 0
        self._slice: tuple[RawSlice, NDArray[np.uint8]] | None = None
        self._took = PredictionTimes()

    @property
    def predictor(self) -> SharedPredictor | None:
        """The model in use, for others to use too; None before one is loaded."""
        return self._predictor

    @property
    def is_busy(self) -> bool:
        """Whether a task is on its way."""
        return self._running > 0

    def load(
        self,
        load: Callable[[], ClickPredictor],
        name: str,
        ended: Callable[[bool], None],
    ) -> None:
        """Load a model; until it is there no mask is computed.

        Parameters
        ----------
        load : callable
            Returns the predictor; called in the runner's thread.
        name : str
            What messages call it.
        ended : callable
            Called with whether the model is used now; if it cannot be, the one before
            stays in use. Not called if another one was chosen meanwhile.
        """
        self._model_count += 1
        count = self._model_count

        def loaded(predictor: ClickPredictor) -> None:
            if count == self._model_count:
                self._predictor = SharedPredictor(predictor)
                self._took = PredictionTimes()
                if self._run is not None:
                    self._run.resume()
                self._on_message(f"{name} is ready.")
                ended(True)

        def failed(error: BaseException) -> None:
            if count == self._model_count:
                has_other = self._predictor is not None
                kept = " (the one before stays in use)" if has_other else ""
                self._fail(f"{name} cannot be used", error, kept)
                ended(False)

        self._on_message(f"Loading {name} \u2026")
        self._submit(load, loaded, failed)

    def serve(self, run: Segmentation | None) -> None:
        """Answer this segmentation from now on; what others asked for is dropped."""
        self._run = run
        self.forget_slice()

    def forget_slice(self) -> None:
        """Read the slice of the next request anew."""
        self._slice = None

    def answer(self) -> None:
        """Begin to compute what is needed next, unless a task is on its way."""
        if self._run is not None:
            self._answer(self._run, self._run.next_request())

    def foresee(self, placed: PlacedClick) -> None:
        """Begin to compute what a click will need that has begun.

        Nothing is begun that takes long: it would keep another click waiting, if this
        one turned out to be none.
        """
        if self._run is None:
            return
        wanted = self._run.foresee(placed)
        if wanted is not None and self._took.expected(wanted[0]) <= MOST_IN_VAIN:
            self._answer(self._run, wanted)

    def _answer(
        self, run: Segmentation, wanted: tuple[Request, RawSlice] | None
    ) -> None:
        if self._predictor is None or self.is_busy or wanted is None:
            return
        predictor, (request, raw) = self._predictor, wanted

        def done(prediction: Prediction) -> None:
            if run is not self._run:
                self._slice = None
            elif run.receive(request, prediction):
                self._on_answer(request)
            self.answer()

        def failed(error: BaseException) -> None:
            if run is not self._run:
                self._slice = None
            elif run.abandon(request):
                self._fail("There is no mask for the last click", error)
            self.answer()

        self._submit(lambda: self._predict(predictor, raw, request), done, failed)

    def close(self) -> None:
        """Drop everything that has not ended."""
        self._runner.close()

    def _predict(
        self, predictor: ClickPredictor, raw: RawSlice, request: Request
    ) -> Prediction:
        """Run in the runner's thread; the slice that was read last is kept."""
        kept = self._slice  # another thread may drop it at any time
        if kept is None or not raw.shows_same(kept[0]):
            kept = self._slice = raw, raw.read()
        begin = perf_counter()
        with quick_turns():
            prediction = predictor.predict(kept[1], request.clicks, request.previous)
        self._took.note(request, perf_counter() - begin)
        return prediction

    def _fail(self, what: str, error: BaseException, remark: str = "") -> None:
        _LOG.debug("%s", what, exc_info=error)
        self._on_failure(f"{what}: {reason_of(error)}{remark}")

    def _submit(
        self,
        task: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        def ended(report: Callable[[Any], None], outcome: Any) -> None:
            self._running -= 1
            report(outcome)
            self._on_change()

        self._running += 1
        self._runner.submit(
            task,
            lambda result: ended(done, result),
            lambda error: ended(failed, error),
        )
        self._on_change()  # meanwhile the task runs
