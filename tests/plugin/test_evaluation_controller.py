"""A run, its figures and its objects, and what a chosen object looks like."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from scipy.ndimage import binary_erosion
from vispy.color import Color

from napari_simpleclick.evaluation.run import evaluate_sample
from napari_simpleclick.plugin.camera import camera_of
from napari_simpleclick.plugin.click_layer import COLOURS
from napari_simpleclick.plugin.evaluation_controller import EvaluationController
from napari_simpleclick.plugin.evaluation_objects import EvaluationSettings
from napari_simpleclick.plugin.evaluation_report import dataset_of
from napari_simpleclick.plugin.evaluation_source import annotated_image
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


def files_in(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in files}


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
    camera = camera_of(desk.viewer)
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
    layers = list(desk.viewer.layers)
    for smaller in (desk.image.data[..., :40], desk.image.data[:1], desk.image.data[0]):
        desk.image.data = smaller
        desk.controller.show(0)
        assert list(desk.viewer.layers) == layers
    desk.viewer.layers.remove(desk.image)
    desk.controller.show(0)
    assert desk.failures == [
        *["Image 'scan' has no slice 1,:,: any more: press Run again."] * 3,
        "Image 'scan' is no longer in the viewer.",
    ]


def test_what_is_drawn_meanwhile_changes_no_number(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    before = {o.found.label: o.result.ious for o in desk.controller.objects}

    def draw(rank: int, measured: MeasuredObject) -> None:
        desk.labels.data[:] = 0
        desk.labels.data[:, :3] = 1

    desk.controller.measured.connect(draw)
    desk.run()
    after = {o.found.label: o.result.ious for o in desk.controller.objects}
    assert {label: list(ious) for label, ious in after.items()} == {
        label: list(ious) for label, ious in before.items()
    }
    desk.controller.save(tmp_path)
    clicked = [clicks for _, clicks, _ in desk.predictor.seen[-8:]]
    measured = [tuple(o.result.clicks) for o in desk.controller.objects]
    assert [clicks for clicks in clicked if len(clicks) == 4] == measured


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


def test_a_report_has_page_curves_and_cases(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    desk.controller.save(tmp_path)
    assert files_in(tmp_path) == {
        "objects.csv",
        "report.json",
        "report.html",
        "curves.png",
        "curves.svg",
        "cases/disks/worst_1.png",
        "cases/disks/best_1.png",
    }
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h1>Interactive segmentation of scan (napari)</h1>" in html
    for measured, rank in zip(desk.controller.objects, ("Worst", "Best"), strict=True):
        name, iou = measured.result.name, 100 * measured.iou
        after = html[html.index(f"<h2>{rank} of disks, after 4 clicks</h2>") :]
        assert f"{name}: IoU {iou:.1f} %" in after[: after.index("</figcaption>")]
    said = f"Saved report.html, objects.csv and report.json in {tmp_path}."
    assert desk.messages[-1] == said


def test_saving_is_shown_and_is_the_workers(
    viewer: ViewerModel, tmp_path: Path
) -> None:
    desk = Desk(viewer, HeldRunner())
    desk.run()
    desk.runner.run_next()
    seen = len(desk.predictor.seen)
    desk.controller.save(tmp_path)
    assert desk.messages[-1] == "Saving the report \u2026"
    assert desk.controller.state.is_saving
    desk.run()
    desk.controller.save(tmp_path / "other")
    assert len(desk.runner.held) == 1
    assert files_in(tmp_path) == set()
    desk.states.clear()
    desk.runner.run_next()
    assert len(desk.predictor.seen) == seen + 2 * 4
    assert [s.progress.clicks for s in desk.states][-1] == 8
    assert {s.progress.all_clicks for s in desk.states} == {8}
    assert not desk.controller.state.is_busy
    assert len(desk.controller.objects) == 2


def test_cancelled_saving_keeps_the_data(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    seen = len(desk.predictor.seen)
    desk.controller.changed.connect(
        lambda state: state.progress.clicks == 3 and desk.controller.cancel()
    )
    desk.controller.save(tmp_path)
    assert len(desk.predictor.seen) == seen + 3
    assert "report.json" in files_in(tmp_path)
    assert "report.html" not in files_in(tmp_path)
    said = f"Stopped: {tmp_path} has objects.csv and report.json, but no page."
    assert desk.messages[-1] == said
    assert desk.failures == []
    assert not desk.controller.state.is_busy


def test_without_matplotlib_the_data_are_saved(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run()
    for name in list(sys.modules):
        if name.split(".")[0] == "matplotlib":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    desk.controller.save(tmp_path)
    assert files_in(tmp_path) == {"objects.csv", "report.json"}
    assert desk.messages[-1] == (
        f"Saved objects.csv and report.json in {tmp_path}; report.html and its curves "
        'need matplotlib: pip install "napari-simpleclick[evaluate]".'
    )
    assert not desk.controller.state.is_busy


def test_an_error_in_saving_is_said(desk: Desk, tmp_path: Path) -> None:
    desk.run()
    patience = len(desk.predictor.seen) + 2

    def fail(*arguments: Any) -> Prediction:
        if len(desk.predictor.seen) >= patience:
            raise RuntimeError("out of memory")
        return BrightDisks.predict(desk.predictor, *arguments)

    desk.predictor.predict = fail  # type: ignore[method-assign]
    desk.controller.save(tmp_path)
    assert desk.failures == ["The report was not finished: out of memory"]
    assert not desk.controller.state.is_busy


def test_closing_stops_saving(viewer: ViewerModel, tmp_path: Path) -> None:
    desk = Desk(viewer, HeldRunner())
    desk.run()
    desk.runner.run_next()
    desk.controller.save(tmp_path)
    told, seen = len(desk.messages), len(desk.predictor.seen)
    desk.controller.close()
    desk.runner.run_next()
    assert len(desk.predictor.seen) <= seen + 1
    assert "report.html" not in files_in(tmp_path)
    assert len(desk.messages) == told


def test_objects_are_found_again_slice_by_slice(desk: Desk) -> None:
    desk.run(EvaluationSettings(max_clicks=1, axis=1, every=1, min_area=1))
    run = desk.controller.objects
    plane = run[0].found.plane
    annotated = annotated_image(desk.image, desk.labels, desk.viewer.dims, 1)
    in_order = sorted((o.found for o in run), key=lambda f: (f.plane.position, f.label))
    dataset = dataset_of(annotated, in_order)
    assert len(dataset.sources) == len({found.plane for found in in_order})
    names = [run[0].result.name, run[-1].result.name]
    again = {each.name: each for each in dataset.find(names)}
    assert set(again) == set(names)
    truth = desk.labels.data[plane.index] == run[0].found.label
    np.testing.assert_array_equal(again[names[0]].mask, truth)


@pytest.mark.parametrize("there", ["objects.csv", "report.html", "cases"])
def test_a_report_overwrites_no_other(desk: Desk, tmp_path: Path, there: str) -> None:
    desk.run()
    (tmp_path / there).write_text("precious")
    desk.controller.save(tmp_path)
    assert "choose another folder" in desk.failures[0]
    assert (tmp_path / there).read_text() == "precious"
    assert files_in(tmp_path) == {there}
    assert not desk.controller.state.is_busy


def test_closing_stops_the_run_and_says_nothing_more(viewer: ViewerModel) -> None:
    desk = Desk(viewer, HeldRunner())
    desk.run()
    told = len(desk.states), len(desk.messages)
    desk.controller.close()
    desk.runner.run_next()
    assert desk.predictor.seen == []
    assert (len(desk.states), len(desk.messages)) == told
