"""The measured click: a real window, real mouse events, a model that we know."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot

from napari_simpleclick.inference.predictor import Predictor
from napari_simpleclick.plugin.click_benchmark import measure_window_click

SECONDS = 0.02


def sleepy(
    image: NDArray[np.float32],
    prev_mask: NDArray[np.float32],
    points: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Find a disk in the middle of the crop, after a while."""
    time.sleep(SECONDS)
    side = np.linspace(-1, 1, image.shape[-1])
    inside = side[:, None] ** 2 + side**2 < 0.1
    return np.where(inside, np.float32(5), np.float32(-5))[None, None]


def test_a_click_is_measured_from_press_to_picture(qtbot: QtBot) -> None:
    model = Predictor(sleepy, input_size=32, second_look=True)
    measured = measure_window_click(128, 3, lambda: model)
    assert set(measured) == {
        f"{part}_{what}_ms"
        for part in ("painted", "drawn", "network", "around_network")
        for what in ("median", "p95")
    }
    # The first click on an object is the only one that looks twice.
    assert 1e3 * SECONDS <= measured["network_median_ms"]
    assert 1.8e3 * SECONDS <= measured["network_p95_ms"]
    assert measured["network_median_ms"] < measured["painted_median_ms"]
    assert measured["painted_median_ms"] <= measured["drawn_median_ms"]
    assert np.all(np.array(list(measured.values())) > 0)


def test_no_click_is_refused() -> None:
    with pytest.raises(ValueError, match="clicks: 0, expected at least 1"):
        measure_window_click(128, 0)
