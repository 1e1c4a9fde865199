"""Clicks, masks and sessions stay in line, whatever happens to the layers."""

from __future__ import annotations

import sys
from gc import collect
from types import SimpleNamespace
from typing import Any
from weakref import ref

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points
from napari.settings import get_settings
from napari.utils.key_bindings import coerce_keybinding

from napari_simpleclick.inference.plane import Plane
from napari_simpleclick.io.volume import SOURCE_KEY
from napari_simpleclick.plugin import prediction_queue
from napari_simpleclick.plugin.controller import ACTION_KEYS, SegmentationController
from napari_simpleclick.types import Click
from tests.plugin.conftest import BrightDisks, HeldRunner

VOLUME = np.random.default_rng(0).integers(0, 255, (20, 40, 50)).astype(np.uint8)


def told_by(controller: SegmentationController) -> list[str]:
    """Collect the messages from now on."""
    told: list[str] = []
    controller.message.connect(told.append)
    return told


def begin(
    viewer: ViewerModel,
    controller: SegmentationController,
    data: Any = VOLUME,
    **kwargs: Any,
) -> tuple[Image, Points, Labels]:
    image = viewer.add_image(data, **kwargs)
    controller.start(image)
    return image, viewer.layers["clicks"], viewer.layers["SimpleClick"]


def slices_with(labels: Labels, object_id: int, axis: int = 0) -> set[int]:
    return set(np.nonzero(labels.data == object_id)[axis].tolist())


def test_a_click_paints_its_slice_and_no_other(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    viewer.dims.set_point(0, 7)
    points.add([7, 20, 25])
    assert slices_with(labels, 1) == {7}
    assert labels.data[7, 20, 25] == 1
    assert points.features.to_dict("list") == {
        "object": [1],
        "sign": ["+"],
        "slice": ["7,:,:"],
        "order": [1],
    }
    assert controller.state.click_count == 1


def test_signs_show_as_green_and_red(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 25])
    before = (labels.data > 0).sum()
    controller.toggle_sign()
    points.add([10, 20, 30])
    assert (labels.data > 0).sum() < before
    green, red = points.face_color[:, :3]
    assert green.argmax() == 1
    assert red.argmax() == 0
    assert list(points.features["sign"]) == ["+", "-"]


def press(points: Points, *place: float, modifiers: tuple[str, ...] = ()) -> None:
    """Let a mouse button go down in the layer; napari adds no point before it is up."""
    (pressed,) = (c for c in points.mouse_drag_callbacks if c.__name__ == "on_press")
    pressed(points, SimpleNamespace(position=place, modifiers=modifiers, button=1))


def test_a_modifier_inverts_one_click(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, _ = begin(viewer, controller)
    press(points, 10, 20, 25, modifiers=("Shift",))
    points.add([10, 20, 25])
    points.add([10, 30, 25])
    assert list(points.features["sign"]) == ["-", "+"]


def test_undo_and_redo_bring_points_and_mask_back(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    empty = labels.data.copy()
    points.add([10, 20, 25])
    one = labels.data.copy()
    points.add([10, 30, 40])
    two = labels.data.copy()
    controller.undo()
    np.testing.assert_array_equal(labels.data, one)
    assert len(points.data) == 1
    controller.undo()
    np.testing.assert_array_equal(labels.data, empty)
    controller.redo()
    controller.redo()
    np.testing.assert_array_equal(labels.data, two)
    assert len(points.data) == 2


def test_undo_goes_to_the_slice_that_it_changes(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller, scale=(2.5, 1, 1))
    viewer.dims.set_point(0, 3 * 2.5)
    points.add([3, 20, 25])
    viewer.dims.set_point(0, 9 * 2.5)
    controller.undo()
    assert viewer.dims.point[0] == pytest.approx(7.5)
    assert labels.data.max() == 0


def test_deleting_and_dragging_points_moves_the_mask(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 10, 10])
    points.add([10, 30, 40])
    points.selected_data = {0}
    points.remove_selected()
    assert labels.data[10, 10, 10] == 0
    assert labels.data[10, 30, 40] == 1
    moved = points.data.copy()
    moved[0, 1:] = 12, 12
    points.data = moved
    assert labels.data[10, 30, 40] == 0
    assert labels.data[10, 12, 12] == 1


def test_deleting_clicks_tells_how_many_are_left(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    told = told_by(controller)
    points = begin(viewer, controller)[1]
    viewer.dims.set_point(0, 10)
    for row in (10, 20, 30):
        points.add([10, row, 10])
    for index, left in ((2, "2 clicks"), (0, "1 click"), (0, "no clicks")):
        points.selected_data = {index}
        points.remove_selected()
        assert told[-1] == f"Object 1: {left} on this slice."


def test_what_is_told_is_of_the_displayed_slice_and_the_current_object(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    told = told_by(controller)
    points = begin(viewer, controller)[1]
    viewer.dims.set_point(0, 10)
    points.add([10, 10, 10])
    assert told[-1] == "Object 1: 1 click on this slice."
    viewer.dims.set_point(0, 11)
    assert told[-1] == "Object 1: no clicks on this slice."
    viewer.dims.set_point(0, 10)
    assert told[-1] == "Object 1: 1 click on this slice."
    controller.set_object(4)
    assert told[-1] == "Object 4: no clicks on this slice."
    controller.labels.selected_label = 1
    assert told[-1] == "Object 1: 1 click on this slice."


def test_objects_never_take_pixels_from_one_another(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    first = labels.data == 1
    controller.next_object()
    points.add([10, 20, 26])
    np.testing.assert_array_equal(labels.data == 1, first)
    assert (labels.data == 2).any()
    assert labels.selected_label == 2
    controller.undo()
    np.testing.assert_array_equal(labels.data == 1, first)
    assert not (labels.data == 2).any()


def test_existing_labels_are_continued_without_harm(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image = viewer.add_image(VOLUME)
    existing = np.zeros(VOLUME.shape, np.int32)
    existing[10, 15:25, 20:30] = 4
    labels = viewer.add_labels(existing.copy())
    controller.start(image, labels)
    points = viewer.layers["clicks"]
    points.add([10, 20, 31])
    assert controller.state.object_id == 5
    np.testing.assert_array_equal(labels.data == 4, existing == 4)
    assert (labels.data == 5).any()
    controller.undo()
    np.testing.assert_array_equal(labels.data, existing)


def test_reopened_object_starts_from_its_mask_and_undo_restores_it(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    image = viewer.add_image(VOLUME)
    existing = np.zeros(VOLUME.shape, np.uint8)
    existing[10, 15:25, 20:30] = 4
    labels = viewer.add_labels(existing.copy())
    controller.start(image, labels)
    controller.set_object(4)
    viewer.layers["clicks"].add([10, 5, 5])
    previous = predictor.seen[-1][2]
    assert previous is not None
    np.testing.assert_array_equal(previous.mask(), existing[10] == 4)
    assert (labels.data == 4).sum() > 100
    controller.undo()
    np.testing.assert_array_equal(labels.data, existing)


def test_what_was_painted_by_hand_is_built_upon(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    labels.paint((10, 35, 45), 1)
    assert labels.data[10, 35, 45] == 1
    points.add([10, 20, 30])
    assert labels.data[10, 35, 45] == 1
    assert labels.data[10, 20, 30] == 1
    controller.undo()
    assert labels.data[10, 35, 45] == 1
    assert labels.data[10, 20, 30] == 0


def test_what_was_painted_by_hand_stays_when_a_click_is_moved_or_deleted(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    points.add([10, 20, 24])
    labels.paint((10, 35, 45), 1)
    labels.paint((10, 20, 22), 0)
    painted = labels.data.copy()
    for _ in range(2):  # the second time, what was drawn was drawn over anew before
        moved = points.data.copy()
        moved[0, 2] -= 2
        points.data = moved
        assert (labels.data[10, 35, 45], labels.data[10, 20, 22]) == (1, 0)
    assert labels.data[10, 20, 11] == 1
    points.selected_data = {0}
    points.remove_selected()
    assert (labels.data[10, 35, 45], labels.data[10, 20, 22]) == (1, 0)
    assert labels.data[10, 20, 11] == 0
    controller.undo()
    controller.undo()
    np.testing.assert_array_equal(labels.data, painted)
    controller.redo()
    assert (labels.data[10, 35, 45], labels.data[10, 20, 22]) == (1, 0)


def test_the_brush_keeps_its_own_history(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    mask = labels.data.copy()
    labels.undo()
    np.testing.assert_array_equal(labels.data, mask)
    labels.paint((10, 35, 45), 1)
    labels.undo()
    np.testing.assert_array_equal(labels.data, mask)


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1), (0, 2, 1), (2, 1, 0)])
def test_any_axis_as_displayed(
    order: tuple[int, int, int],
    viewer: ViewerModel,
    controller: SegmentationController,
    predictor: BrightDisks,
) -> None:
    _, points, labels = begin(viewer, controller, scale=(3, 1, 0.5))
    viewer.dims.order = order
    axis = order[0]
    viewer.dims.set_point(axis, 11 * (3, 1, 0.5)[axis])
    where = [8, 20, 25]
    where[axis] = 11
    points.add(where)
    assert slices_with(labels, 1, axis) == {11}
    assert labels.data[tuple(where)] == 1
    expected = np.take(VOLUME, 11, axis)
    seen = predictor.seen[-1][0].astype(int)
    limits = viewer.layers[0].contrast_limits
    scaled = np.clip((expected - limits[0]) / (limits[1] - limits[0]), 0, 1) * 255
    np.testing.assert_allclose(seen, scaled, atol=0.51)


def test_clicks_of_another_axis_are_hidden(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, _ = begin(viewer, controller)
    points.add([10, 20, 25])
    viewer.dims.order = (1, 0, 2)
    assert not points.shown[0]
    viewer.dims.order = (0, 1, 2)
    assert points.shown[0]


def test_two_dimensions(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller, VOLUME[0])
    points.add([20, 25])
    assert labels.data[20, 25] == 1
    assert list(points.features["slice"]) == [":,:"]


def test_time_in_front(viewer: ViewerModel, controller: SegmentationController) -> None:
    _, points, labels = begin(viewer, controller, np.stack([VOLUME, VOLUME]))
    viewer.dims.set_point(0, 1)
    viewer.dims.set_point(1, 5)
    points.add([1, 5, 20, 25])
    assert slices_with(labels, 1, 0) == {1}
    assert slices_with(labels, 1, 1) == {5}


def test_an_image_with_fewer_axes_than_the_viewer(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    viewer.add_image(np.zeros((4, 20, 40, 50)))
    _, points, labels = begin(viewer, controller)
    viewer.dims.set_point(0, 2)
    viewer.dims.set_point(1, 6)
    points.add([6, 20, 25])
    assert slices_with(labels, 1) == {6}


def test_colour(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (5, 40, 50, 3)).astype(np.uint8)
    _, points, labels = begin(viewer, controller, colour, rgb=True)
    viewer.dims.set_point(0, 2)
    points.add([2, 20, 25])
    assert labels.data.shape == (5, 40, 50)
    np.testing.assert_array_equal(predictor.seen[-1][0], colour[2])


def test_the_channel_that_is_chosen(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    data = np.stack([VOLUME[0], 255 - VOLUME[0]])
    layers = viewer.add_image(data, channel_axis=0, contrast_limits=[0, 255])
    controller.start(layers[1])
    viewer.layers["clicks"].add([20, 25])
    np.testing.assert_array_equal(predictor.seen[-1][0], data[1])


def test_contrast_limits_count(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    image, points, _ = begin(viewer, controller, VOLUME[0])
    image.contrast_limits = (100, 101)
    points.add([20, 25])
    assert set(np.unique(predictor.seen[-1][0])) == {0, 255}


def lazy(value: int) -> tuple[da.Array, list[int]]:
    """Return a volume of one value, and the slices of it that were read."""
    read: list[int] = []

    def block(block_info: Any = None) -> np.ndarray:
        read.append(block_info[None]["chunk-location"][0])
        return np.full((1, 40, 50), value, np.uint8)

    chunks = (1,) * 20, (40,), (50,)
    return da.map_blocks(block, chunks=chunks, dtype=np.uint8), read


def test_lazy_data_is_read_one_slice_at_a_time(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    data, read = lazy(0)
    _, points, labels = begin(viewer, controller, data, contrast_limits=[0, 1])
    viewer.dims.set_point(0, 4)
    read.clear()
    points.add([4, 20, 25])
    points.add([4, 30, 25])
    assert set(read) <= {4}
    assert slices_with(labels, 1) == {4}


def test_a_new_object_does_not_read_all_of_lazy_labels(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    data, read = lazy(7)
    image, labels = viewer.add_image(VOLUME), viewer.add_labels(data)
    controller.start(image, labels)
    assert controller.state.object_id == 8
    read.clear()
    controller.next_object()
    assert controller.state.object_id == 9
    controller.set_object(30)
    controller.set_object(3)
    controller.next_object()
    assert controller.state.object_id == 31
    assert len(set(read)) <= 1


def test_multiscale_uses_the_full_resolution(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    levels = [VOLUME[0], VOLUME[0][::2, ::2]]
    _, points, labels = begin(viewer, controller, levels, multiscale=True)
    points.add([20, 25])
    assert labels.data.shape == (40, 50)
    assert predictor.seen[-1][0].shape == (40, 50)


def test_layers_lie_over_the_image_and_follow_it(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image, points, labels = begin(
        viewer,
        controller,
        scale=(2, 1, 0.5),
        translate=(5, -6, 7),
        rotate=20,
        units=("mm", "mm", "mm"),
        metadata={"source": "kept"},
    )
    for layer in (points, labels):
        np.testing.assert_allclose(
            layer.data_to_world((3, 4, 5)), image.data_to_world((3, 4, 5))
        )
        assert layer.units == image.units
    assert labels.metadata == {"source": "kept"}
    image.scale = (4, 1, 0.5)
    for layer in (points, labels):
        np.testing.assert_allclose(layer.scale, (4, 1, 0.5))


def test_a_click_outside_is_no_click(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    told = told_by(controller)
    _, points, labels = begin(viewer, controller, name="data")
    points.add([10, 20, 55])
    points.add([10, -3, 20])
    assert len(points.data) == 0
    assert labels.data.max() == 0
    assert told[-1] == "Click inside image 'data'."


def test_3d_view_takes_no_clicks(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 25])
    viewer.dims.ndisplay = 3
    before = labels.data.copy()
    told = told_by(controller)
    points.add([12, 20, 25])
    assert told == ["Clicks need the 2D view: leave the 3D view first (Ctrl+Y)."]
    controller.reset()
    assert len(points.data) == 1
    np.testing.assert_array_equal(labels.data, before)
    viewer.dims.ndisplay = 2
    controller.undo()
    assert labels.data.max() == 0


def test_reset_clears_this_slice_alone(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    for index in (3, 4):
        viewer.dims.set_point(0, index)
        points.add([index, 20, 25])
    controller.reset()
    assert slices_with(labels, 1) == {3}
    assert len(points.data) == 1


def test_threshold_repaints_the_object(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 25])
    controller.set_threshold(1.0)
    assert labels.data.max() == 0
    controller.set_threshold(0.5)
    assert labels.data[10, 20, 25] == 1


def test_only_the_slice_on_display_is_drawn_anew(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    labels.contour = 1  # so that a part of it cannot be drawn alone
    drawn: list[int] = []
    for index in (3, 4, 5):
        viewer.dims.set_point(0, index)
        points.add([index, 20, 25])
    labels.events.set_data.connect(lambda: drawn.append(int(labels._data_view.max())))
    controller.set_threshold(1.0)
    assert labels.data.max() == 0
    assert drawn == [0]


@pytest.mark.parametrize("name", ["clicks", "SimpleClick", "brain"])
def test_a_removed_layer_ends_the_segmentation(
    name: str, viewer: ViewerModel, controller: SegmentationController
) -> None:
    image, points, _ = begin(viewer, controller, name="brain")
    points.add([10, 20, 25])
    viewer.layers.remove(name)
    assert not controller.state.is_running
    controller.undo()
    controller.next_object()
    controller.reset()
    points.add([10, 30, 30])
    controller.start(image if image in viewer.layers else viewer.add_image(VOLUME))
    assert controller.state.is_running


def test_an_image_that_was_removed_is_let_go(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    data = VOLUME.copy()
    kept = ref(data)
    points = begin(viewer, controller, data, name="brain")[1]
    points.add([10, 20, 25])
    viewer.layers.remove("brain")
    del data
    collect()
    assert kept() is None


def test_renamed_layers_go_on(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image, points, labels = begin(viewer, controller)
    for layer in (image, points, labels):
        layer.name = f"my {layer.name}"
    points.add([10, 20, 25])
    assert labels.data[10, 20, 25] == 1


def test_new_data_of_the_same_shape_are_seen(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    image, points, _ = begin(viewer, controller)
    points.add([10, 20, 25])
    image.data = 255 - VOLUME
    points.add([10, 30, 25])
    first, second = predictor.seen[0][0], predictor.seen[-1][0]
    assert not np.array_equal(first, second)


def test_new_data_of_another_shape_end_it(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image, _, labels = begin(viewer, controller)
    image.data = VOLUME[:10]
    assert not controller.state.is_running
    assert labels.data.shape == VOLUME.shape


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide")  # napari's
def test_an_image_without_pixels_is_refused(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image = viewer.add_image(np.zeros((0, 40, 50), np.uint8))
    with pytest.raises(ValueError, match="has no pixels"):
        controller.start(image)
    assert list(viewer.layers) == [image]
    assert not controller.state.is_running


def test_labels_of_another_shape_are_refused(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image = viewer.add_image(VOLUME)
    labels = viewer.add_labels(np.zeros((3, 4), int))
    with pytest.raises(ValueError, match="choose a layer of the same shape"):
        controller.start(image, labels)
    assert not controller.state.is_running


def test_the_image_is_never_changed(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image, points, _ = begin(viewer, controller, VOLUME.copy())
    points.add([10, 20, 25])
    controller.undo()
    np.testing.assert_array_equal(image.data, VOLUME)


def test_an_error_is_told_and_the_next_click_works(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    told: list[str] = []
    controller.failed.connect(told.append)
    _, points, labels = begin(viewer, controller)

    class Broken(BrightDisks):
        def predict(self, image: Any, clicks: Any, previous: Any = None) -> Any:
            if len(clicks) == 1:
                raise RuntimeError("out of memory")
            return super().predict(image, clicks[1:], previous)

    controller.load_model(Broken, "broken model")
    points.add([10, 20, 25])
    assert told == ["There is no mask for the last click: out of memory"]
    assert not controller.state.is_busy
    controller.load_model(BrightDisks, "test model")
    points.add([10, 20, 30])
    assert labels.data[10, 20, 30] == 1


def test_another_model_answers_what_one_failed_at(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    class Broken(BrightDisks):
        def predict(self, image: Any, clicks: Any, previous: Any = None) -> Any:
            raise RuntimeError("out of memory")

    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 10])
    controller.load_model(Broken, "broken model")
    points.add([10, 20, 25])
    assert labels.data[10, 20, 25] == 0
    controller.load_model(BrightDisks, "test model")
    assert labels.data[10, 20, 10] == labels.data[10, 20, 25] == 1
    assert not controller.state.is_busy


def test_a_model_that_fails_to_load_is_told(viewer: ViewerModel) -> None:
    from tests.plugin.conftest import InlineRunner

    controller, told = SegmentationController(viewer, InlineRunner()), []
    controller.failed.connect(told.append)

    def load() -> BrightDisks:
        raise ValueError("no such file")

    controller.load_model(load, "Model x")
    assert told == ["Model x cannot be used: no such file"]
    assert controller.predictor is None


def test_placed_clicks_get_masks(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    from napari_simpleclick.inference.session import PlacedClick, Target

    _, points, labels = begin(viewer, controller)
    targets = [Target(1, Plane((2, None, None))), Target(3, Plane((None, 4, None)))]
    controller.place_clicks([PlacedClick(Click(5, 6), target) for target in targets])
    assert labels.data[2, 5, 6] == 1
    assert labels.data[5, 4, 6] == 3
    assert len(points.data) == 2


def test_what_was_painted_by_hand_comes_back_with_redo(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    labels.paint((10, 35, 45), 1)
    painted = labels.data.copy()
    controller.undo()
    assert labels.data.max() == 0
    controller.redo()
    np.testing.assert_array_equal(labels.data, painted)


@pytest.mark.parametrize("undone", [1, 2])
def test_redo_keeps_what_was_painted_by_hand_after_undo(
    undone: int, viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    points.add([10, 20, 30])
    for _ in range(undone):
        controller.undo()
    labels.paint((10, 35, 45), 1)
    painted = labels.data.copy()
    for _ in range(undone):
        controller.redo()
    assert labels.data[10, 20, 30] == labels.data[10, 35, 45] == 1
    for _ in range(undone):
        controller.undo()
    np.testing.assert_array_equal(labels.data, painted)


def test_what_was_erased_by_hand_is_not_built_upon(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    labels.fill((10, 20, 20), 0)
    assert labels.data.max() == 0
    points.add([10, 20, 40])
    previous = predictor.seen[-1][2]
    assert previous is not None
    assert not previous.mask().any()
    controller.undo()
    assert labels.data.max() == 0


def test_another_model_keeps_what_was_painted_by_hand(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    controller.load_model(BrightDisks, "other model")
    labels.paint((10, 35, 45), 1)
    points.add([10, 20, 30])
    assert labels.data[10, 35, 45] == 1


def test_a_threshold_for_one_object_leaves_others(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    _, points, _labels = begin(viewer, controller)
    points.add([10, 20, 10])
    controller.next_object()
    points.add([10, 20, 20])
    controller.set_threshold(0.99)
    controller.set_object(1)
    points.add([10, 30, 10])
    previous = predictor.seen[-1][2]
    assert previous is not None
    assert previous.probability.max() == np.float32(0.9)


def test_each_object_keeps_its_threshold(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 10])
    controller.set_threshold(0.95)
    controller.next_object()
    assert controller.state.threshold == 0.95
    points.add([10, 20, 30])
    controller.set_threshold(0.3)
    assert np.unique(labels.data).tolist() == [0, 2]
    controller.undo()
    controller.undo()
    controller.redo()
    assert (controller.state.object_id, controller.state.threshold) == (1, 0.95)
    assert not labels.data.any()
    controller.redo()
    assert (controller.state.object_id, controller.state.threshold) == (2, 0.3)
    assert np.unique(labels.data).tolist() == [0, 2]


def test_the_threshold_holds_for_another_model_too(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    controller.load_model(BrightDisks, "other model")
    controller.set_threshold(0.95)
    assert labels.data.max() == 0
    controller.set_threshold(0.5)
    assert labels.data[10, 20, 20] == 1


def test_a_label_freed_by_one_object_is_no_stroke_of_another(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    _, points, _labels = begin(viewer, controller)
    points.add([10, 20, 20])
    controller.next_object()
    points.add([10, 20, 26])
    controller.set_object(1)
    points.add([10, 20, 10])
    points.selected_data = {0, 2}
    points.remove_selected()
    controller.set_object(2)
    points.add([10, 30, 26])
    previous = predictor.seen[-1][2]
    assert previous is not None
    assert previous.mask()[20, 21]  # what object 1 had when object 2 was clicked


def test_undo_over_many_slices_and_axes(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    states = [labels.data.copy()]
    for index in (3, 8, 3, 12):
        viewer.dims.set_point(0, index)
        points.add([index, 20, 5 * index % 37])
        states.append(labels.data.copy())
    viewer.dims.order = (2, 0, 1)
    viewer.dims.set_point(2, 30)
    points.add([10, 20, 30])
    for state in reversed(states):
        controller.undo()
        np.testing.assert_array_equal(labels.data, state)
    for state in states[1:]:
        controller.redo()
        np.testing.assert_array_equal(labels.data, state)


def test_a_click_dragged_off_the_image_stays(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    points.add([10, 20, 20])
    mask = labels.data.copy()
    points.data = points.data + np.array([0, 200, 0])
    np.testing.assert_array_equal(points.data, [[10, 20, 20]])
    np.testing.assert_array_equal(labels.data, mask)


@pytest.mark.parametrize("ndisplay", [2, 3])
@pytest.mark.parametrize("shift", [-11, -10.6, 9.7, 50])
def test_a_click_dragged_off_the_slices_stays(
    shift: float, ndisplay: int, viewer: ViewerModel, controller: SegmentationController
) -> None:
    told = told_by(controller)
    _, points, labels = begin(viewer, controller, name="data")
    viewer.dims.set_point(0, 10)
    points.add([10, 20, 20])
    mask = labels.data.copy()
    viewer.dims.ndisplay = ndisplay
    points.data = points.data + np.array([shift, 0, 0])
    np.testing.assert_array_equal(points.data, [[10, 20, 20]])
    np.testing.assert_array_equal(labels.data, mask)
    assert controller.state.can_undo
    assert (
        told[-1]
        == {
            2: "Click inside image 'data'.",
            3: "Clicks need the 2D view: leave the 3D view first (Ctrl+Y).",
        }[ndisplay]
    )


def test_a_label_that_the_layer_cannot_hold_is_refused(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    told: list[str] = []
    controller.failed.connect(told.append)
    image = viewer.add_image(VOLUME)
    existing = np.zeros(VOLUME.shape, np.uint8)
    existing[0, 0, 0] = 254
    labels = viewer.add_labels(existing)
    controller.start(image, labels)
    assert controller.state.object_id == 255
    viewer.layers["clicks"].add([10, 20, 20])
    controller.set_object(300)
    assert len(told) == 1
    assert "holds labels up to 255" in told[0]
    assert controller.state.object_id == 255


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint32, np.uint64])
def test_where_the_data_type_ends_free_labels_are_taken(
    dtype: Any, viewer: ViewerModel, controller: SegmentationController
) -> None:
    image = viewer.add_image(VOLUME)
    existing = np.zeros(VOLUME.shape, dtype)
    existing[0, 0, 0], existing[3, 5, 5] = np.iinfo(dtype).max, 2
    labels = viewer.add_labels(existing.copy())
    controller.start(image, labels)
    assert controller.state.object_id == 1
    viewer.layers["clicks"].add([10, 20, 20])
    assert labels.data[10, 20, 20] == 1
    controller.next_object()
    assert controller.state.object_id == 3
    np.testing.assert_array_equal(labels.data[:10], existing[:10])


def test_without_a_free_label_all_stays_as_it_was(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    told: list[str] = []
    controller.failed.connect(told.append)
    image = viewer.add_image(VOLUME)
    full = np.arange(VOLUME.size).reshape(VOLUME.shape).astype(np.uint8)
    full[full == 7] = 0
    labels = viewer.add_labels(full)
    controller.start(image, labels)
    assert controller.state.object_id == 7
    points = viewer.layers["clicks"]
    controller.next_object()
    assert "has no free label: all from 1 to 255 (uint8)" in told[0]
    layers = list(viewer.layers)
    other = np.arange(VOLUME.size).reshape(VOLUME.shape).astype(np.uint8)
    other = viewer.add_labels(other)
    with pytest.raises(ValueError, match="has no free label"):
        controller.start(image, other)
    assert list(viewer.layers) == [*layers, other]
    assert controller.labels is labels
    assert points.visible
    points.add([10, 20, 20])
    assert controller.state.can_undo


def test_masks_that_do_not_fit_into_memory_are_refused(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    endless = np.broadcast_to(np.uint8(0), (10**9, 1000, 1000))
    large = viewer.add_image(endless, name="large", contrast_limits=(0, 255))
    layers = list(viewer.layers)
    with pytest.raises(ValueError, match=r"'large' would take 1,862,645 GiB.* crop"):
        controller.start(large)
    assert list(viewer.layers) == layers
    assert controller.labels is labels
    assert points.visible


def test_labels_that_cannot_be_written_are_refused(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image = viewer.add_image(VOLUME)
    frozen = np.zeros(VOLUME.shape, np.uint8)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        controller.start(image, viewer.add_labels(frozen))
    levels = [np.zeros(VOLUME.shape, int), np.zeros((10, 20, 25), int)]
    with pytest.raises(ValueError, match="several resolutions"):
        controller.start(image, viewer.add_labels(levels, multiscale=True))


def test_masks_of_another_shape_end_it(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, _, labels = begin(viewer, controller)
    labels.data = np.zeros((5, 40, 50), int)
    assert not controller.state.is_running


def test_masks_of_a_type_too_small_for_an_object_end_it(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    told = told_by(controller)
    _, points, labels = begin(viewer, controller)
    controller.set_object(300)
    labels.data = labels.data.astype(np.uint8)
    assert not controller.state.is_running
    assert "holds labels up to 255 (uint8)" in told[-1]
    points.add([10, 20, 20])  # nobody listens any more


def test_a_label_picked_in_the_layer_is_the_object(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    labels.selected_label = 7
    assert controller.state.object_id == 7
    labels.selected_label = 0
    assert controller.state.object_id == 7
    points.add([10, 20, 20])
    assert labels.data[10, 20, 20] == 7


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_an_image_tilted_out_of_the_view_takes_no_clicks(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    tilt = [[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]
    told = told_by(controller)
    _, points, labels = begin(viewer, controller, rotate=tilt)
    points.add([10, 20, 25])
    assert "tilted" in told[-1]
    assert labels.data.max() == 0
    viewer.dims.order = (2, 0, 1)
    points.add([10, 20, 25])
    assert slices_with(labels, 1, 2) == {25}


def test_keys_are_none_of_naparis(viewer: ViewerModel) -> None:
    ours = {coerce_keybinding(key) for key in ACTION_KEYS.values()}
    for owner in (ViewerModel, Labels, Points, Image):
        assert ours.isdisjoint(owner.class_keymap)
    elsewhere = {
        coerce_keybinding(str(key))
        for action, keys in get_settings().shortcuts.shortcuts.items()
        if not any(word in action for word in ("shape", "activate_add_"))
        for key in keys
    }
    assert coerce_keybinding("Delete") in elsewhere
    assert ours.isdisjoint(elsewhere)


def test_starting_again_goes_on(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image, points, labels = begin(viewer, controller)
    points.add([10, 20, 25])
    points.mode, points.visible = "pan_zoom", False
    viewer.layers.selection.active = labels
    controller.start(image, labels)
    assert (points.mode, points.visible) == ("add", True)
    assert viewer.layers.selection.active is points
    controller.undo()
    assert not labels.data.any()


def test_new_masks_hide_the_clicks_before_and_they_take_no_more(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image, points, labels = begin(viewer, controller)
    points.add([10, 20, 25])
    controller.start(image)
    assert [x.visible for x in viewer.layers if isinstance(x, Points)] == [False, True]
    assert points.mode == "pan_zoom"
    assert labels.data[10, 20, 25] == 1
    new = controller.labels
    viewer.layers.remove(new)
    assert viewer.layers["clicks [1]"].mode == "pan_zoom"


def test_masks_are_saved_on_the_grid_of_their_image(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image = viewer.add_image(VOLUME, metadata={SOURCE_KEY: "grid", "other": "image's"})
    labels = viewer.add_labels(np.zeros(VOLUME.shape, int), metadata={"other": "own"})
    controller.start(image, labels)
    assert labels.metadata == {SOURCE_KEY: "grid", "other": "own"}


def test_clicks_and_masks_that_were_moved_come_back(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image, points, labels = begin(viewer, controller, scale=(3, 1, 1))
    for layer in (points, labels):
        layer.affine = [[1, 0, 0, 0], [0, 1, 0, 20], [0, 0, 1, 0], [0, 0, 0, 1]]
        layer.translate = (0, 5, 0)
        np.testing.assert_array_equal(
            layer.data_to_world((1, 2, 3)), image.data_to_world((1, 2, 3))
        )
    controller.stop()
    labels.translate = (0, 5, 0)
    np.testing.assert_array_equal(labels.data_to_world((1, 2, 3)), (3, 7, 3))


def test_pixels_that_changed_in_place_are_seen_once_they_are_drawn(
    viewer: ViewerModel, controller: SegmentationController, predictor: BrightDisks
) -> None:
    data = VOLUME.copy()
    image, points, _ = begin(viewer, controller, data, contrast_limits=(0, 255))
    points.add([10, 20, 25])
    data[10] = 7
    image.refresh()
    points.add([10, 20, 30])
    assert (predictor.seen[-1][0] == 7).all()


def test_moving_through_slices_tells_only_what_changes(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    begin(viewer, controller)
    told: list[Any] = []
    controller.changed.connect(told.append)
    for index in range(10):
        viewer.dims.set_point(0, index)
    assert not told


def test_continued_labels_are_laid_over_the_image(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    image = viewer.add_image(VOLUME, scale=(3, 1, 1), translate=(0, 5, -7))
    labels = viewer.add_labels(np.zeros(VOLUME.shape, int))
    controller.start(image, labels)
    np.testing.assert_allclose(
        labels.data_to_world((3, 4, 5)), image.data_to_world((3, 4, 5))
    )


def test_an_error_without_words_is_named(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    told: list[str] = []
    controller.failed.connect(told.append)
    _, points, _ = begin(viewer, controller)

    class Broken(BrightDisks):
        def predict(self, image: Any, clicks: Any, previous: Any = None) -> Any:
            raise RuntimeError

    controller.load_model(Broken, "broken model")
    points.add([10, 20, 25])
    assert told == ["There is no mask for the last click: RuntimeError"]


def test_layers_keep_nothing_of_ours(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    _, points, labels = begin(viewer, controller)
    assert len(points.keymap) == len(labels.keymap) == len(ACTION_KEYS)
    controller.stop()
    assert not points.keymap
    assert not labels.keymap
    points.add([10, 20, 25])
    assert labels.data.max() == 0


def test_clicks_without_a_model_say_what_they_wait_for(viewer: ViewerModel) -> None:
    controller, told = SegmentationController(viewer, HeldRunner()), []
    controller.message.connect(told.append)
    _, points, _ = begin(viewer, controller)
    points.add([10, 20, 25])
    assert told[-1] == "The clicks wait for a model: choose one above."
    assert len(points.data) == 1


def test_a_model_that_fails_leaves_the_one_before(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    told: list[str] = []
    controller.failed.connect(told.append)
    _, points, labels = begin(viewer, controller)

    def load() -> BrightDisks:
        raise ValueError("no such file")

    controller.load_model(load, "Model x")
    assert told == [
        "Model x cannot be used: no such file (the one before stays in use)"
    ]
    points.add([10, 20, 25])
    assert labels.data[10, 20, 25] == 1


def test_clearing_the_viewer_ends_it(
    viewer: ViewerModel, controller: SegmentationController
) -> None:
    begin(viewer, controller, np.stack([VOLUME, VOLUME]))
    viewer.add_image(VOLUME[0])
    viewer.layers.clear()
    assert not controller.state.is_running


class TestOrder:
    """With a runner that holds its tasks."""

    @pytest.fixture
    def runner(self) -> HeldRunner:
        return HeldRunner()

    @pytest.fixture
    def controller(
        self, viewer: ViewerModel, runner: HeldRunner
    ) -> SegmentationController:
        return SegmentationController(viewer, runner)

    def test_clicks_wait_for_the_model(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        _, points, labels = begin(viewer, controller)
        controller.load_model(BrightDisks, "test model")
        points.add([10, 20, 25])
        assert len(runner.held) == 1
        assert controller.state.is_busy
        runner.run_next()
        runner.run_next()
        assert labels.data[10, 20, 25] == 1
        assert not controller.state.is_busy

    @pytest.mark.parametrize("is_visible", [True, False])
    @pytest.mark.parametrize("how", ["brush", "undo", "data", "in place"])
    def test_what_is_drawn_while_an_answer_is_to_come_stays(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
        how: str,
        *,
        is_visible: bool,
    ) -> None:
        controller.load_model(BrightDisks, "test model")
        _, points, labels = begin(viewer, controller)
        points.add([10, 20, 10])
        runner.run_all()
        labels.paint((10, 35, 45), 1)
        if how == "undo":
            labels.paint((10, 35, 5), 1)
        points.add([10, 20, 40])
        labels.visible = is_visible
        drawn = labels.data.copy()
        drawn[10, 36, 46] = 1
        if how == "brush":
            labels.paint((10, 36, 46), 1)
        elif how == "undo":
            labels.undo()
        elif how == "data":
            labels.data = drawn
        else:
            labels.data[10, 36, 46] = 1
        kept = labels.data[10, 30:].copy()
        runner.run_all()
        assert labels.data[10, 20, 40] == 1
        np.testing.assert_array_equal(labels.data[10, 30:], kept)
        assert kept[5, 45] == 1
        assert kept[5, 5] == 0

    def test_crossing_slices_of_an_object_keep_each_others_pixels(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        controller.load_model(BrightDisks, "test model")
        _, points, labels = begin(viewer, controller)
        points.add([10, 20, 10])
        viewer.dims.order = (1, 0, 2)
        viewer.dims.set_point(1, 20)
        points.add([10, 20, 40])
        points.add([4, 20, 40])
        runner.run_all()
        assert labels.data[10, 20, 10] == labels.data[10, 20, 40] == 1
        assert labels.data[4, 20, 40] == 1

    def test_fast_clicks_are_answered_one_by_one_in_order(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        predictor = BrightDisks()
        controller.load_model(lambda: predictor, "test model")
        runner.run_next()
        _, points, _ = begin(viewer, controller)
        for col in range(10):
            points.add([10, 20, 4 * col])
        while runner.held:
            assert len(runner.held) == 1
            runner.run_next()
        assert [len(clicks) for _, clicks, _ in predictor.seen] == list(range(1, 11))
        assert all(previous is not None for *_, previous in predictor.seen[1:])

    @pytest.fixture
    def clicked(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
        predictor: BrightDisks,
    ) -> tuple[Points, Labels]:
        """Points and masks after a first click."""
        controller.load_model(lambda: predictor, "test model")
        _, points, labels = begin(viewer, controller)
        points.add([10, 20, 25])
        runner.run_next()
        runner.run_next()
        return points, labels

    @pytest.mark.parametrize("is_done_first", [True, False])
    def test_a_click_is_computed_while_the_button_is_down(
        self,
        clicked: tuple[Points, Labels],
        controller: SegmentationController,
        runner: HeldRunner,
        predictor: BrightDisks,
        is_done_first: bool,
    ) -> None:
        points, labels = clicked
        before = labels.data.copy()
        press(points, 10, 30, 40)
        if is_done_first:
            runner.run_next()
        np.testing.assert_array_equal(labels.data, before)
        points.add([10, 30, 40])
        if not is_done_first:
            runner.run_next()
        assert not runner.held
        assert labels.data[10, 30, 40] == 1
        assert [len(clicks) for _, clicks, _ in predictor.seen] == [1, 2]
        controller.undo()
        np.testing.assert_array_equal(labels.data, before)

    @pytest.mark.parametrize("is_done_first", [True, False])
    def test_what_was_computed_in_vain_leaves_no_trace(
        self,
        clicked: tuple[Points, Labels],
        controller: SegmentationController,
        runner: HeldRunner,
        is_done_first: bool,
    ) -> None:
        points, labels = clicked
        press(points, 10, 30, 40)
        if is_done_first:
            runner.run_next()
        points.add([10, 8, 8])  # the mouse went on before the button came up
        runner.run_all()
        assert labels.data[10, 30, 40] == 0
        assert labels.data[10, 8, 8] == 1
        assert len(points.data) == 2
        assert not controller.state.is_busy

    def test_what_was_painted_meanwhile_counts(
        self, clicked: tuple[Points, Labels], runner: HeldRunner
    ) -> None:
        points, labels = clicked
        labels.data[10, 2, 2] = 1
        press(points, 10, 30, 40)
        runner.run_next()
        points.add([10, 30, 40])
        runner.run_next()
        assert labels.data[10, 2, 2] == labels.data[10, 30, 40] == 1

    def test_what_takes_long_is_not_computed_in_vain(
        self,
        clicked: tuple[Points, Labels],
        runner: HeldRunner,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(prediction_queue, "MOST_IN_VAIN", 0.0)
        press(clicked[0], 10, 30, 40)
        assert not runner.held

    def test_a_slow_first_click_says_nothing_of_later_ones(
        self,
        clicked: tuple[Points, Labels],
        controller: SegmentationController,
        runner: HeldRunner,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        seconds = iter([0.0, 9.0, 10.0, 10.1, 20.0, 20.1])
        monkeypatch.setattr(prediction_queue, "perf_counter", lambda: next(seconds))
        points, _ = clicked
        controller.next_object()
        points.add([10, 30, 40])  # takes 9 s
        points.add([10, 31, 41])  # takes 0.1 s
        runner.run_all()
        press(points, 10, 32, 42)
        assert len(runner.held) == 1
        runner.run_next()
        controller.next_object()
        press(points, 10, 5, 5)
        assert not runner.held

    def test_threads_take_turns_quickly_while_a_mask_is_computed(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        waits = []

        class Noting(BrightDisks):
            def predict(self, image: Any, clicks: Any, previous: Any = None) -> Any:
                waits.append(sys.getswitchinterval())
                if len(clicks) > 1:
                    raise ValueError
                return super().predict(image, clicks, previous)

        controller.load_model(Noting, "test model")
        _, points, _ = begin(viewer, controller)
        usual = sys.getswitchinterval()
        for col in (25, 30):
            points.add([10, 20, col])
            runner.run_all()
            assert sys.getswitchinterval() == usual
        assert waits == pytest.approx([usual / 100] * 2)

    def test_pressing_outside_the_image_or_to_select_begins_nothing(
        self, clicked: tuple[Points, Labels], runner: HeldRunner
    ) -> None:
        points, _ = clicked
        press(points, 10, 30, 400)
        points.mode = "select"
        press(points, 10, 30, 40)
        assert not runner.held

    def test_undo_makes_the_answer_on_its_way_stale(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        controller.load_model(BrightDisks, "test model")
        runner.run_next()
        _, points, labels = begin(viewer, controller)
        points.add([10, 20, 25])
        controller.undo()
        runner.run_next()
        assert labels.data.max() == 0
        assert not runner.held

    def test_a_failure_for_a_click_that_was_undone_stops_no_other(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        class Broken(BrightDisks):
            def predict(self, image: Any, clicks: Any, previous: Any = None) -> Any:
                if clicks[0].col == 10:
                    raise RuntimeError("out of memory")
                return super().predict(image, clicks, previous)

        told: list[str] = []
        controller.failed.connect(told.append)
        controller.load_model(Broken, "test model")
        runner.run_next()
        _, points, labels = begin(viewer, controller)
        points.add([10, 20, 10])
        controller.undo()
        points.add([10, 20, 30])
        runner.run_all()
        assert labels.data[10, 20, 30] == 1
        assert not told

    def test_an_answer_after_the_end_changes_nothing(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        controller.load_model(BrightDisks, "test model")
        runner.run_next()
        _, points, labels = begin(viewer, controller)
        points.add([10, 20, 25])
        viewer.layers.remove("clicks")
        runner.run_next()
        assert labels.data.max() == 0

    def test_an_answer_after_the_end_keeps_no_image(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        controller.load_model(BrightDisks, "test model")
        runner.run_next()
        data = VOLUME.copy()
        kept = ref(data)
        points = begin(viewer, controller, data, name="brain")[1]
        points.add([10, 20, 25])
        viewer.layers.remove("brain")
        runner.run_next()
        del data
        collect()
        assert kept() is None

    def test_an_answer_from_before_the_restart_harms_nothing(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        controller.load_model(BrightDisks, "test model")
        runner.run_next()
        image, points, labels = begin(viewer, controller)
        points.add([10, 20, 25])
        points.add([10, 30, 25])
        labels.data[10, :5] = 1
        before = labels.data.copy()
        controller.stop()
        controller.start(image, labels)
        runner.run_all()
        np.testing.assert_array_equal(labels.data, before)

    def test_a_stroke_while_the_model_computes_is_kept(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        controller.load_model(BrightDisks, "test model")
        runner.run_next()
        _, points, labels = begin(viewer, controller)
        points.add([10, 20, 10])
        runner.run_next()
        points.add([10, 20, 20])
        points.add([10, 20, 30])
        labels.paint((10, 35, 45), 1)
        runner.run_all()
        assert labels.data[10, 35, 45] == 1
        for col in (10, 20, 30):
            assert labels.data[10, 20, col] == 1

    def test_a_burst_is_painted_click_by_click(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        controller.load_model(BrightDisks, "test model")
        runner.run_next()
        _, points, labels = begin(viewer, controller)
        for col in (10, 20, 30):
            points.add([10, 20, col])
        for col in (10, 20, 30):
            assert labels.data[10, 20, col] == 0
            runner.run_next()
            assert labels.data[10, 20, col] == 1

    def test_of_two_models_the_one_chosen_last_is_used(
        self,
        viewer: ViewerModel,
        controller: SegmentationController,
        runner: HeldRunner,
    ) -> None:
        first, second = BrightDisks(), BrightDisks()
        controller.load_model(lambda: first, "first")
        controller.load_model(lambda: second, "second")
        _, points, _ = begin(viewer, controller)
        points.add([10, 20, 25])
        runner.run_all()
        assert not first.seen
        assert len(second.seen) == 1
