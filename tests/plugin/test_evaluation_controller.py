"""A run, its figures and its objects, and what a chosen object looks like."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from scipy.ndimage import binary_erosion
from vispy.color import Color

from napari_simpleclick.evaluation.run import evaluate_sample
from napari_simpleclick.plugin.click_layer import COLOURS
from napari_simpleclick.plugin.evaluation_controller import EvaluationController
from napari_simpleclick.plugin.evaluation_objects import EvaluationSettings
from napari_simpleclick.plugin.evaluation_state import (
    EvaluationState,
    MeasuredObject,
    Progress,
)
from napari_simpleclick.plugin.evaluation_view import (
    CLICKS_NAME,
    EDGE,
    INSIDE,
    MASK_NAME,
)
from napari_simpleclick.plugin.image_layer import TRANSFORMS
from napari_simpleclick.plugin.shared_predictor import SharedPredictor
from napari_simpleclick.types import Prediction, Sample
from tests.plugin.conftest import BrightDisks, HeldRunner, InlineRunner

SHAPE = (6, 60, 80)
BOXES = {1: (slice(10, 16), slice(20, 60)), 2: (slice(30, 42), slice(30, 42))}
SETTINGS = EvaluationSettings(max_clicks=4)


class Desk:
    """A viewer with image and ground truth, and all that its controller told."""

    def __init__(self, viewer: ViewerModel, runner: Any, **placed: Any) -> None:
        self.viewer = viewer
        self.runner = runner
        self.predictor = BrightDisks()
        self.controller = EvaluationController(viewer, runner)
        scan = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)
        truth = np.zeros(SHAPE, np.uint8)
        for label, box in BOXES.items():
            truth[(label, *box)] = label
        self.image: Image = viewer.add_image(scan, name="scan", **placed)
        self.labels: Labels = viewer.add_labels(truth, name="truth", **placed)
        self.states: list[EvaluationState] = []
        self.messages: list[str] = []
        self.failures: list[str] = []
        self.ranks: list[tuple[int, MeasuredObject]] = []
        self.controller.changed.connect(self.states.append)
        self.controller.message.connect(self.messages.append)
        self.controller.failed.connect(self.failures.append)
        self.controller.measured.connect(lambda *each: self.ranks.append(each))

    def run(self, settings: EvaluationSettings = SETTINGS) -> None:
        model = SharedPredictor(self.predictor)
        self.controller.run(self.image, self.labels, settings, "disks", model)

    @property
    def labels_measured(self) -> list[int]:
        return [measured.found.label for measured in self.controller.objects]


@pytest.fixture
def desk(viewer: ViewerModel) -> Desk:
    return Desk(viewer, InlineRunner())


def sample(desk: Desk, label: int) -> Sample:
    mask = desk.labels.data[label] == label
    return Sample("x", desk.image.data[label], mask)


def test_a_run_measures_every_object_as_evaluation_does(desk: Desk) -> None:
    desk.run()
    assert desk.failures == []
    assert {1, 2} == set(desk.labels_measured)
    for measured in desk.controller.objects:
        alone = sample(desk, measured.found.label)
        expected = evaluate_sample(SharedPredictor(BrightDisks()), alone, 4)
        np.testing.assert_array_equal(measured.result.ious, expected.ious)
        assert measured.result.clicks == expected.clicks
        intersection = (measured.mask & alone.mask).sum()
        union = (measured.mask | alone.mask).sum()
        assert measured.iou == pytest.approx(intersection / union)


def test_the_worst_come_first_and_figures_are_their_means(desk: Desk) -> None:
    desk.run()
    objects = desk.controller.objects
    assert objects[0].iou < objects[1].iou
    assert desk.labels_measured == [1, 2]
    figures = desk.controller.state.figures
    assert figures is not None
    assert figures.n_objects == 2
    np.testing.assert_allclose(
        figures.miou, np.mean([each.result.ious for each in objects], axis=0)
    )
    assert [rank for rank, _ in desk.ranks] == [0, 1]
    assert figures.noc[0.9] == 4
    assert figures.failures[0.9] == 2
    assert objects[0].clicks_to(0.99) is None
    assert objects[1].clicks_to(float(objects[1].result.ious[0])) == 1


def test_progress_counts_clicks_up_to_all(desk: Desk) -> None:
    desk.run()
    progress = [state.progress for state in desk.states if state.is_running]
    assert [p.clicks for p in progress if p.all_clicks][-1] == 8
    assert {p.all_clicks for p in progress} == {0, 8}
    assert not desk.states[-1].is_running
    assert desk.messages == [
        "Looking for objects \u2026",
        "The robot user clicks 2 objects \u2026",
        "2 objects done. Click a row to see how it went.",
    ]


def test_time_left_is_the_pace_so_far() -> None:
    assert Progress(5, 20, 10.0).seconds_left == pytest.approx(30)
    assert Progress(0, 20, 0.0).seconds_left is None


def test_cancelling_keeps_what_is_measured(desk: Desk) -> None:
    desk.controller.measured.connect(lambda *_: desk.controller.cancel())
    desk.run()
    assert len(desk.controller.objects) == 1
    assert len(desk.predictor.seen) == 5  # one click goes on; the next finds the stop
    assert desk.messages[-1].startswith("1 object done, then stopped.")
    assert not desk.controller.state.is_running


def test_a_second_run_begins_anew(desk: Desk) -> None:
    began: list[int] = []
    desk.controller.began.connect(lambda: began.append(1))
    desk.run()
    desk.run(EvaluationSettings(max_clicks=2))
    assert len(began) == 2
    assert [len(o.result.ious) for o in desk.controller.objects] == [2, 2]


def test_while_it_runs_there_is_no_second_run(viewer: ViewerModel) -> None:
    desk = Desk(viewer, HeldRunner())
    desk.run()
    desk.run()
    assert len(desk.runner.held) == 1
    desk.runner.run_next()
    assert len(desk.controller.objects) == 2


def test_no_layer_is_changed(desk: Desk) -> None:
    before = desk.image.data.copy(), desk.labels.data.copy()
    limits = tuple(desk.image.contrast_limits)
    desk.run()
    desk.controller.show(0)
    np.testing.assert_array_equal(desk.image.data, before[0])
    np.testing.assert_array_equal(desk.labels.data, before[1])
    assert tuple(desk.image.contrast_limits) == limits


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("image", "Open an image first, then press Run."),
        ("labels", "Open or draw the ground truth first"),
        ("model", "There is no model yet"),
    ],
)
def test_what_is_missing_is_said(desk: Desk, what: str, expected: str) -> None:
    arguments: dict[str, Any] = {"image": desk.image, "labels": desk.labels}
    predictor = None if what == "model" else SharedPredictor(desk.predictor)
    arguments |= {what: None} if what != "model" else {}
    desk.controller.run(**arguments, settings=SETTINGS, model="m", predictor=predictor)
    assert desk.failures[0].startswith(expected)
    assert not desk.controller.state.is_running


def test_an_empty_ground_truth_ends_the_run_with_a_sentence(desk: Desk) -> None:
    desk.labels.data = np.zeros(SHAPE, np.uint8)
    desk.run()
    expected = "The evaluation ended: the ground truth has no object of at least 20"
    assert desk.failures[0].startswith(expected)
    assert not desk.controller.state.is_running


def test_an_error_of_the_model_ends_the_run_and_keeps_the_rest(desk: Desk) -> None:
    class Broken(BrightDisks):
        def predict(self, *arguments: Any) -> Prediction:
            if len(self.seen) == 6:
                raise RuntimeError("out of memory")
            return super().predict(*arguments)

    desk.predictor = Broken()
    desk.run()
    assert desk.failures == ["The evaluation ended: out of memory"]
    assert len(desk.controller.objects) == 1
    assert not desk.controller.state.is_running


def test_an_object_is_shown_over_the_image(viewer: ViewerModel) -> None:
    placed = {"scale": (4, 0.5, 1.5), "translate": (-60, -40, -30)}
    desk = Desk(viewer, InlineRunner(), **placed)
    desk.run(EvaluationSettings(max_clicks=8))
    viewer.layers.selection.active = desk.image
    desk.controller.show(0)
    worst = desk.controller.objects[0]
    assert desk.image.world_to_data(viewer.dims.point)[0] == worst.found.label == 1
    points, mask = viewer.layers[CLICKS_NAME], viewer.layers[MASK_NAME]
    for layer in (points, mask):
        assert not layer.editable
        for name in TRANSFORMS:
            assert np.all(getattr(layer, name) == getattr(desk.image, name)), name
    expected = [(1, click.row, click.col) for click in worst.result.clicks]
    np.testing.assert_array_equal(points.data, expected)
    signs = ["+" if click.is_positive else "-" for click in worst.result.clicks]
    assert list(points.features["sign"]) == signs
    assert set(signs) == {"+", "-"}
    colours = [Color(COLOURS[sign]).rgba for sign in signs]
    np.testing.assert_allclose(points.face_color, colours, atol=1e-6)
    np.testing.assert_array_equal(mask.data[1] > 0, worst.mask)
    inner = binary_erosion(worst.mask)
    np.testing.assert_array_equal(mask.data[1] == INSIDE, inner)
    assert set(mask.data[1][worst.mask & ~inner]) == {EDGE}
    assert not mask.data[[0, 2, 3, 4, 5]].any()
    assert viewer.layers.selection.active is desk.image


def test_another_object_takes_the_place_of_the_one_before(desk: Desk) -> None:
    desk.run()
    desk.controller.show(0)
    layers = list(desk.viewer.layers)
    desk.controller.show(1)
    assert list(desk.viewer.layers) == layers
    mask = desk.viewer.layers[MASK_NAME]
    assert set(np.nonzero(mask.data)[0]) == {2}
    assert set(desk.viewer.layers[CLICKS_NAME].data[:, 0]) == {2}
    desk.viewer.layers.remove(mask)
    desk.controller.show(0)
    assert set(np.nonzero(desk.viewer.layers[MASK_NAME].data)[0]) == {1}
    assert sum(layer.name.startswith("evaluation") for layer in desk.viewer.layers) == 2


def test_layers_of_another_image_are_made_anew(desk: Desk) -> None:
    desk.run()
    desk.controller.show(0)
    desk.image = desk.viewer.add_image(np.zeros((60, 80)), name="photo")
    truth = (desk.labels.data[1] > 0).astype(np.uint8)
    desk.labels = desk.viewer.add_labels(truth)
    desk.run()
    desk.controller.show(0)
    assert desk.failures == []
    assert desk.viewer.layers[MASK_NAME].data.shape == (60, 80)
    assert desk.viewer.layers[CLICKS_NAME].ndim == 2


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_any_axis_is_brought_on_display(desk: Desk, axis: int) -> None:
    desk.viewer.dims.order = (1, 2, 0)
    desk.viewer.dims.ndisplay = 3
    desk.run(EvaluationSettings(max_clicks=1, axis=axis, every=1, min_area=1))
    desk.controller.show(0)
    dims, plane = desk.viewer.dims, desk.controller.objects[0].found.plane
    assert dims.ndisplay == 2
    assert set(dims.displayed) == {0, 1, 2} - {axis}
    assert dims.point[axis] == plane.position[axis]


def test_the_3d_view_shows_the_mask_without_complaint(desk: Desk) -> None:
    desk.run()
    desk.controller.show(0)
    desk.viewer.dims.ndisplay = 3
    desk.controller.show(1)
    assert desk.viewer.dims.ndisplay == 2


def test_an_object_out_of_sight_is_centred(desk: Desk) -> None:
    desk.run()
    camera = desk.viewer.scene.camera
    before = camera.center
    desk.controller.show(0)
    assert camera.center == before
    desk.image.corner_pixels = np.array([[0, 0, 0], [0, 20, 20]])
    desk.controller.show(1)
    centre = np.argwhere(desk.controller.objects[1].mask)
    np.testing.assert_allclose(
        camera.center[1:], (centre.min(0) + centre.max(0)) / 2, atol=1
    )


def test_slices_on_display_keep_the_order_of_the_viewer(desk: Desk) -> None:
    desk.viewer.dims.order = (0, 2, 1)
    desk.run()
    desk.controller.show(0)
    assert desk.viewer.dims.order == (0, 2, 1)


def test_in_a_world_of_more_axes(desk: Desk) -> None:
    desk.viewer.add_image(np.zeros((3, 9, 60, 80)), name="series")
    desk.run()
    desk.controller.show(1)
    assert desk.viewer.dims.point[1] == 2
    assert desk.failures == []


def test_an_image_that_left_or_shrank_is_explained(desk: Desk) -> None:
    desk.run()
    desk.image.data = desk.image.data[:1]
    desk.controller.show(0)
    desk.viewer.layers.remove(desk.image)
    desk.controller.show(0)
    assert desk.failures == [
        "Image 'scan' has no slice 1,:,: any more: press Run again.",
        "Image 'scan' is no longer in the viewer.",
    ]


def test_the_report_is_that_of_the_command(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    folder = tmp_path / "results"
    desk.controller.save(folder)
    assert desk.failures == []
    with (folder / "objects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["object"] for row in rows] == ["scan/1/1", "scan/2/2"]
    best = desk.controller.objects[1].result
    assert [float(rows[1][f"iou_{k}"]) for k in (1, 4)] == pytest.approx(
        [best.ious[0], best.ious[3]]
    )
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    figures = desk.controller.state.figures
    assert figures is not None
    assert report["miou_at"]["4"] == pytest.approx(figures.miou[3], abs=1e-6)
    assert report["noc"]["90"] == figures.noc[0.9]
    assert report["n_objects"] == 2
    assert report["model"] == "disks"
    assert report["settings"]["image"] == "scan"
    assert report["settings"]["contrast_limits"] == list(desk.image.contrast_limits)


def test_a_report_overwrites_no_other(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    (tmp_path / "objects.csv").write_text("precious")
    desk.controller.save(tmp_path)
    assert "choose another folder" in desk.failures[0]
    assert (tmp_path / "objects.csv").read_text() == "precious"


def test_closing_stops_the_run_and_says_nothing_more(viewer: ViewerModel) -> None:
    desk = Desk(viewer, HeldRunner())
    desk.run()
    told = len(desk.states), len(desk.messages)
    desk.controller.close()
    desk.runner.run_next()
    assert desk.predictor.seen == []
    assert (len(desk.states), len(desk.messages)) == told
