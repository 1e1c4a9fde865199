"""Predictors and runners that tests can see through."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from numpy.typing import NDArray

from napari_simpleclick.plugin.controller import SegmentationController
from napari_simpleclick.types import Click, Prediction


class BrightDisks:
    """Bright pixels near positive clicks, but none near negative ones."""

    radius = 6

    def __init__(self) -> None:
        self.seen: list[tuple[NDArray[Any], tuple[Click, ...], Prediction | None]] = []

    def predict(
        self,
        image: NDArray[Any],
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> Prediction:
        self.seen.append((image, tuple(clicks), previous))
        rows, cols = np.indices(image.shape[:2])
        chosen = np.zeros(image.shape[:2], bool)
        if previous is not None:
            chosen |= previous.mask()
        for click in clicks:
            near = np.hypot(rows - click.row, cols - click.col) <= self.radius
            chosen = chosen | near if click.is_positive else chosen & ~near
        return Prediction(np.where(chosen, np.float32(0.9), np.float32(0.1)))


class Gated(BrightDisks):
    """Answers some calls, then waits for the gate."""

    def __init__(self, calls: int = 0) -> None:
        super().__init__()
        self.calls, self.gate = calls, Event()

    def predict(self, *arguments: Any) -> Prediction:
        assert len(self.seen) < self.calls or self.gate.wait(20)
        return super().predict(*arguments)


class InlineRunner:
    """Runs every task at once."""

    def submit(
        self,
        task: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        try:
            outcome = task()
        except (RuntimeError, ValueError) as error:
            failed(error)
        else:
            done(outcome)

    def report(self, news: Callable[[], None]) -> None:
        news()

    def close(self) -> None:
        pass


class HeldRunner(InlineRunner):
    """Holds every task until it is told to run the next."""

    def __init__(self) -> None:
        self.held: deque[tuple[Any, ...]] = deque()

    def submit(self, *task: Any) -> None:
        self.held.append(task)

    def run_next(self) -> None:
        super().submit(*self.held.popleft())

    def run_all(self) -> None:
        while self.held:
            self.run_next()


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def predictor() -> BrightDisks:
    return BrightDisks()


@pytest.fixture
def controller(viewer: ViewerModel, predictor: BrightDisks) -> SegmentationController:
    made = SegmentationController(viewer, InlineRunner())
    made.load_model(lambda: predictor, "test model")
    return made
