"""Objects that want the same pixels: a mask is a function of the clicks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels, Points

from napari_simpleclick.plugin.controller import SegmentationController

IMAGE = np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.uint8)
ROWS, COLS = np.indices(IMAGE.shape)


def disk(row: float, col: float) -> np.ndarray:
    """What `BrightDisks` answers to one click."""
    return np.hypot(ROWS - row, COLS - col) <= 6


@pytest.fixture
def points(viewer: ViewerModel, controller: SegmentationController) -> Points:
    """Two objects; the second is clipped by the first."""
    controller.start(viewer.add_image(IMAGE))
    layer = viewer.layers["clicks"]
    layer.add([20, 20])
    controller.next_object()
    layer.add([20, 26])
    return layer


@pytest.fixture
def labels(viewer: ViewerModel, points: Points) -> Labels:
    return viewer.layers["SimpleClick"]


def test_an_object_gets_what_another_leaves(
    controller: SegmentationController, labels: Labels
) -> None:
    clipped = labels.data.copy()
    np.testing.assert_array_equal(labels.data == 2, disk(20, 26) & ~disk(20, 20))
    controller.set_object(1)
    controller.reset()
    np.testing.assert_array_equal(labels.data, 2 * disk(20, 26))
    controller.undo()
    np.testing.assert_array_equal(labels.data, clipped)
    controller.redo()
    np.testing.assert_array_equal(labels.data, 2 * disk(20, 26))


def test_a_negative_click_leaves_pixels_too(
    controller: SegmentationController, points: Points, labels: Labels
) -> None:
    clipped = labels.data.copy()
    controller.set_object(1)
    controller.set_sign("-")
    points.add([20, 27])
    first = disk(20, 20) & ~disk(20, 27)
    np.testing.assert_array_equal(labels.data == 1, first)
    np.testing.assert_array_equal(labels.data == 2, disk(20, 26) & ~first)
    controller.undo()
    np.testing.assert_array_equal(labels.data, clipped)


def test_the_threshold_leaves_and_takes_back(
    controller: SegmentationController, labels: Labels
) -> None:
    clipped = labels.data.copy()
    controller.set_object(1)
    controller.set_threshold(0.95)
    np.testing.assert_array_equal(labels.data, 2 * disk(20, 26))
    controller.set_threshold(0.5)
    np.testing.assert_array_equal(labels.data, clipped)


def test_a_new_click_takes_nothing_back(
    controller: SegmentationController, points: Points, labels: Labels
) -> None:
    controller.set_object(1)
    controller.reset()
    points.add([20, 21])
    np.testing.assert_array_equal(labels.data == 2, disk(20, 26))
    np.testing.assert_array_equal(labels.data == 1, disk(20, 21) & ~disk(20, 26))


def test_what_was_drawn_by_hand_stays_as_it_is(
    controller: SegmentationController, labels: Labels
) -> None:
    labels.brush_size = 1
    labels.paint((2, 2), 2)
    drawn = labels.data == 2
    controller.set_object(1)
    controller.reset()
    np.testing.assert_array_equal(labels.data, 2 * drawn)


def test_pixels_erased_by_hand_stay_empty(
    controller: SegmentationController, labels: Labels
) -> None:
    labels.brush_size = 1
    labels.paint((20, 23), 0)
    controller.set_object(1)
    controller.reset()
    expected = disk(20, 26)
    expected[20, 23] = False
    np.testing.assert_array_equal(labels.data, 2 * expected)


def test_an_object_without_clicks_gets_nothing(
    controller: SegmentationController, points: Points, labels: Labels
) -> None:
    controller.next_object()
    points.add([20, 20])
    assert not (labels.data == 3).any()
    controller.reset()
    controller.set_object(1)
    controller.reset()
    np.testing.assert_array_equal(labels.data, 2 * disk(20, 26))


def test_labels_of_nobody_stay(
    controller: SegmentationController, labels: Labels
) -> None:
    labels.data[20, 23] = 9
    controller.set_object(1)
    controller.reset()
    assert labels.data[20, 23] == 9
    assert (labels.data == 2).sum() == disk(20, 26).sum() - 1
    controller.undo()
    assert labels.data[20, 23] == 9


@pytest.mark.parametrize("seed", range(10))
def test_undo_and_redo_restore_what_many_objects_had(
    seed: int, controller: SegmentationController, points: Points, labels: Labels
) -> None:
    rng = np.random.default_rng(seed)
    states = [labels.data.copy()]
    while len(states) < 25:
        controller.set_object(int(rng.integers(1, 5)))
        controller.set_sign("+" if rng.random() < 0.7 else "-")
        choice = rng.random()
        if choice < 0.2:
            controller.reset()
        elif choice < 0.4 and len(points.data):
            points.selected_data = {int(rng.integers(len(points.data)))}
            points.remove_selected()
        else:
            points.add(rng.uniform((12, 12), (28, 34)))
        if not np.array_equal(labels.data, states[-1]):
            states.append(labels.data.copy())
    _travel(controller.undo, labels, states[-2::-1])
    _travel(controller.redo, labels, states[1:])


def _travel(
    step: Callable[[], None], labels: Labels, expected: list[np.ndarray]
) -> None:
    """Meet these states in their order; steps may show no change."""
    for state in expected:
        for _ in range(20):
            step()
            if np.array_equal(labels.data, state):
                break
        np.testing.assert_array_equal(labels.data, state)
