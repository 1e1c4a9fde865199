"""Clicks, points and masks agree after any sequence of a user's actions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from numpy.typing import NDArray

from napari_simpleclick.inference.plane import Plane
from napari_simpleclick.plugin.controller import SegmentationController
from napari_simpleclick.types import Click, Prediction
from tests.plugin.conftest import BrightDisks, HeldRunner, InlineRunner

SHAPE = (20, 20, 20)
SEEDS = range(4)
STEPS = 50


class Model(BrightDisks):
    """Its disks are small; it fails when told to."""

    radius = 3

    def __init__(self) -> None:
        super().__init__()
        self.fails = False

    def predict(self, *args: Any) -> Prediction:
        if self.fails:
            self.fails = False
            raise RuntimeError("out of memory")
        return super().predict(*args)


class User:
    """Acts at random; each object has a corner, and an axis along which it is seen.

    So no two objects overlap, nor do two slices of one.
    """

    def __init__(self, seed: int, viewer: ViewerModel, runner: InlineRunner) -> None:
        self.random = np.random.default_rng(seed)
        self.viewer, self.model = viewer, Model()
        self.controller = SegmentationController(viewer, runner)
        self.load()
        self.controller.start(viewer.add_image(np.zeros(SHAPE, np.uint8)))
        self.points, self.labels = viewer.layers["clicks"], viewer.layers["SimpleClick"]
        self.choose_object()

    def load(self) -> None:
        self.controller.load_model(lambda: self.model, "test model")

    def choose_object(self) -> None:
        self.controller.set_object(int(self.random.integers(1, 9)))
        self.look()

    def look(self) -> None:
        """Display a slice of the object, or the same one the other way round."""
        object_id = self.controller.state.object_id
        axis = object_id % 3
        across = self.random.permutation([i for i in range(3) if i != axis])
        self.viewer.dims.order = (axis, *across.tolist())
        self.viewer.dims.set_point(axis, self.in_corner(object_id)[axis])

    def click(self) -> None:
        self.look()
        self.points.add(self.on_slice())

    def move(self) -> None:
        if len(self.points.data):
            index = self.random.integers(len(self.points.data))
            moved = self.points.data.copy()
            moved[index] = self.in_corner(int(self.points.features["object"][index]))
            self.points.data = moved

    def delete(self) -> None:
        some = self.random.random(len(self.points.data)) < 0.3
        self.points.selected_data = set(np.flatnonzero(some).tolist())
        self.points.remove_selected()

    def paint(self) -> None:
        self.look()
        self.labels.brush_size = 3
        label = int(self.random.choice([0, self.controller.state.object_id]))
        self.labels.paint(tuple(self.on_slice()), label)

    def fail(self) -> None:
        self.model.fails = True

    def in_corner(self, object_id: int) -> NDArray[np.int64]:
        corner = np.array(np.unravel_index(object_id - 1, (2, 2, 2))) * 10
        return corner + self.random.integers(3, 7, 3)

    def on_slice(self) -> NDArray[np.int64]:
        object_id = self.controller.state.object_id
        pixel, axis = self.in_corner(object_id), object_id % 3
        pixel[axis] = self.viewer.dims.point[axis]
        return pixel

    def sees(self) -> tuple[list[Any], list[Any], list[Any]]:
        features = self.points.features.to_numpy()
        return self.labels.data.tolist(), self.points.data.tolist(), features.tolist()


def masks_of(clicks: list[tuple[Any, ...]]) -> NDArray[np.int64]:
    """Return the labels that follow from clicks: object, slice, sign and point."""
    masks, model = np.zeros(SHAPE, int), Model()
    for object_id, where in {click[:2] for click in clicks}:
        plane, made, answer = Plane.parse(where), [], None
        for sign, point in [c[2:] for c in clicks if c[:2] == (object_id, where)]:
            made.append(Click(*plane.project(point), is_positive=sign == "+"))
            answer = model.predict(np.zeros((20, 20)), made, answer)
        assert answer is not None
        masks[plane.index][answer.mask()] = object_id
    return masks


@pytest.mark.parametrize("seed", SEEDS)
def test_masks_follow_from_clicks_however_late_the_answers(
    seed: int, viewer: ViewerModel
) -> None:
    runner = HeldRunner()
    user = User(seed, viewer, runner)
    controller = user.controller

    def answer() -> None:
        if runner.held:
            runner.run_next()

    edits = [user.click, user.click, user.move, user.delete, controller.reset]
    travels = [controller.undo, controller.undo, controller.redo]
    others = [user.choose_object, controller.toggle_sign, user.load, user.fail]
    for act in user.random.choice([*edits, *travels, *others, *[answer] * 9], STEPS):
        act()
    user.model.fails = False
    user.load()  # what failed is asked for again
    runner.run_all()
    features = user.points.features[["object", "slice", "sign"]].to_numpy()
    clicks = [(*row, at) for row, at in zip(features, user.points.data, strict=True)]
    np.testing.assert_array_equal(user.labels.data, masks_of(clicks))
    assert not controller.state.is_busy


@pytest.mark.parametrize("seed", SEEDS)
def test_undo_and_redo_leave_no_trace_whatever_was_painted(
    seed: int, viewer: ViewerModel
) -> None:
    user = User(seed, viewer, InlineRunner())
    controller = user.controller
    edits = [user.click, user.click, user.move, user.delete, controller.reset]
    others = [user.choose_object, controller.toggle_sign, user.paint, user.load]
    travels = [controller.undo, controller.redo]
    for act in user.random.choice([*edits, *travels, *others], STEPS):
        before = user.sees()
        act()
        after = user.sees()
        if act in edits and after[1:] != before[1:]:
            controller.undo()
            assert user.sees() == before
            controller.redo()
            assert user.sees() == after


class Crowd(User):
    """Clicks all objects in one place, along one axis: they overlap."""

    def choose_object(self) -> None:
        self.controller.set_object(3 * int(self.random.integers(1, 4)))
        self.look()

    def in_corner(self, object_id: int) -> NDArray[np.int64]:
        return self.random.integers((3, 3, 3), (5, 12, 12))


@pytest.mark.parametrize("seed", range(12))
def test_undo_goes_back_to_the_same_masks_where_objects_meet(
    seed: int, viewer: ViewerModel
) -> None:
    user = Crowd(seed, viewer, InlineRunner())
    controller = user.controller
    edits = [user.click, user.click, user.click, user.move, user.delete]
    others = [user.choose_object, user.choose_object, controller.toggle_sign]
    states, last = [user.sees()], user.click
    for act in user.random.choice([*edits, *others, controller.reset], STEPS):
        if act == last == user.move:
            continue  # two moves of one click are one edit
        act()
        if user.sees()[1:] != states[-1][1:]:
            states.append(user.sees())
            last = act
    for before in states[-2::-1]:
        controller.undo()
        assert user.sees() == before
    for after in states[1:]:
        controller.redo()
        assert user.sees() == after


@pytest.mark.parametrize("seed", range(40))
def test_redo_takes_nothing_that_was_painted_after_undo(
    seed: int, viewer: ViewerModel
) -> None:
    user = Crowd(seed, viewer, InlineRunner())
    for _ in range(5):
        user.choose_object()
        user.points.add([4, *user.random.integers(3, 12, 2)])
    back = int(user.random.integers(1, 3))
    for _ in range(back):
        user.controller.undo()
    label = user.controller.state.object_id
    before = user.labels.data.copy()
    user.labels.brush_size = 4
    user.labels.paint((4, *user.random.integers(3, 12, 2)), label)
    painted = (user.labels.data == label) & (before != label)
    for _ in range(back):
        user.controller.redo()
    assert (user.labels.data[painted] == label).all()
