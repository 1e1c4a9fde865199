"""One model answers clicks and evaluation: never two calls at once."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from napari_simpleclick.plugin.shared_predictor import SharedPredictor
from napari_simpleclick.types import Click, Prediction
from tests.plugin.conftest import BrightDisks

IMAGE = np.zeros((20, 30), np.uint8)


class Slow(BrightDisks):
    """Waits in its first call until it is let go; notes who is inside."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.gate = threading.Event(), threading.Event()
        self.inside = self.most = 0

    def predict(self, *arguments: Any) -> Prediction:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.set()
        assert self.gate.wait(20)
        self.inside -= 1
        return super().predict(*arguments)


def test_it_answers_as_its_predictor_does() -> None:
    clicks, first = (Click(5, 6), Click(9, 20)), BrightDisks().predict(IMAGE, [])
    expected = BrightDisks().predict(IMAGE, clicks, first)
    answer = SharedPredictor(BrightDisks()).predict(IMAGE, clicks, first)
    np.testing.assert_array_equal(answer.probability, expected.probability)


def test_calls_of_two_threads_take_turns() -> None:
    slow = Slow()
    shared = SharedPredictor(slow)

    def call() -> None:
        shared.predict(IMAGE, (Click(5, 6),))

    threads = [threading.Thread(target=call) for _ in range(2)]
    threads[0].start()
    assert slow.entered.wait(20)
    threads[1].start()
    threads[1].join(0.05)
    assert slow.inside == 1
    slow.gate.set()
    for thread in threads:
        thread.join(20)
    assert slow.most == 1
    assert len(slow.seen) == 2
