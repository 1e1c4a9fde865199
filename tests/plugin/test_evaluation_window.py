"""The Evaluate tab in a real napari window, with real mouse and key events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import napari
import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QFileDialog, QPushButton, QWidget

from napari_simpleclick.io.sample_data import draw_em_phantom
from napari_simpleclick.plugin.evaluation_view import CLICKS_NAME, MASK_NAME
from napari_simpleclick.types import Prediction
from tests.plugin.conftest import BrightDisks, Gated

LEFT = Qt.MouseButton.LeftButton
SHAPE = (6, 96, 128)


class Window:
    """A napari window with an image, its ground truth and the Evaluate tab."""

    def __init__(self, viewer: napari.Viewer, bot: QtBot) -> None:
        self.viewer, self.bot = viewer, bot
        viewer.window.resize(1400, 900)
        image, truth = draw_em_phantom(np.random.default_rng(1), SHAPE)
        self.image = viewer.add_image(image, name="scan", scale=(10, 1, 1))
        self.truth = viewer.add_labels(truth, name="truth", scale=(10, 1, 1))
        _, self.dock = viewer.window.add_plugin_dock_widget(
            "napari-simpleclick", "SimpleClick"
        )
        self.tab = self.dock.evaluation
        self.controller = self.tab.controller
        self.bot.waitUntil(
            lambda: not self.dock.controller.state.is_busy, timeout=180_000
        )
        bar = self.dock.tabs.tabBar()
        self.press(bar, bar.tabRect(1).center())
        self.tab.max_objects.value, self.tab.clicks.value = 2, 3

    def press(self, widget: QWidget, place: QPoint | None = None) -> None:
        self.bot.mouseClick(widget, LEFT, pos=place or widget.rect().center())
        self.bot.wait(20)

    def use(self, predictor: Any) -> None:
        self.dock.controller.load_model(lambda: predictor, "test model")
        self.bot.waitUntil(lambda: self.dock.controller.predictor is not None)
        self.bot.waitUntil(lambda: not self.dock.controller.state.is_busy)

    def run(self) -> None:
        self.press(self.tab.run.native)

    def settle(self) -> None:
        self.bot.waitUntil(lambda: not self.controller.state.is_busy, timeout=180_000)

    def save(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        answer = str(folder)
        patch.setattr(QFileDialog, "getExistingDirectory", lambda *_: answer)
        self.press(self.tab.save.native)

    def press_row(self, row: int) -> None:
        table = self.tab.table
        self.press(table.viewport(), table.visualItemRect(table.item(row, 0)).center())

    def texts(self, row: int) -> list[str]:
        return [self.tab.table.item(row, column).text() for column in range(4)]


@pytest.fixture
def window(
    make_napari_viewer: Callable[..., napari.Viewer], qtbot: QtBot
) -> Iterator[Window]:
    made = Window(make_napari_viewer(show=True), qtbot)
    yield made
    made.controller.close()
    made.dock.controller.close()


def test_from_run_to_saved_report_with_the_bundled_model(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = window.image.data.copy(), window.truth.data.copy()
    window.run()
    window.settle()
    tab = window.tab
    assert tab.status.text() == "2 objects done. Click a row to see how it went."
    assert len(tab.curve.values) == 3
    assert tab.curve.values[-1] > 0.4
    assert f"{tab.curve.values[0]:.3f}" in tab.cells["mIoU@1"].text()
    assert "\u2013" in tab.cells["mIoU@5"].text()
    assert tab.table.rowCount() == 2
    ious = [float(window.texts(row)[2]) for row in range(2)]
    assert ious == sorted(ious)

    window.press_row(1)
    slice_, label, iou, _ = window.texts(1)
    assert window.viewer.dims.point[0] == 10 * int(slice_)
    points, mask = window.viewer.layers[CLICKS_NAME], window.viewer.layers[MASK_NAME]
    assert window.dock.labels.choices == (None, window.truth)
    assert len(points.data) == 3
    assert set(points.data[:, 0]) == {int(slice_)}
    assert tuple(mask.scale) == (10, 1, 1)
    shown = mask.data[int(slice_)] > 0
    true = window.truth.data[int(slice_)] == int(label)
    measured = (shown & true).sum() / (shown | true).sum()
    assert f"{measured:.3f}" == iou
    window.bot.keyClick(tab.table, Qt.Key.Key_Up)
    assert window.viewer.dims.point[0] == 10 * int(window.texts(0)[0])

    window.save(tmp_path, monkeypatch)
    window.settle()
    assert tab.status.text().startswith("Saved report.html")
    pictures = sorted(path.name for path in (tmp_path / "cases/default").iterdir())
    assert pictures == ["best_1.png", "worst_1.png"]
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["model"] == "default"
    assert len(report["checkpoint_sha256"]) == 64
    assert report["n_objects"] == 2
    np.testing.assert_array_equal(window.image.data, before[0])
    np.testing.assert_array_equal(window.truth.data, before[1])


def test_the_window_answers_meanwhile_and_a_run_can_be_cancelled(
    window: Window,
) -> None:
    gated = Gated(3)
    window.use(gated)
    window.run()
    tab = window.tab
    window.bot.waitUntil(lambda: tab.table.rowCount() == 1)
    assert tab.run.text == "Cancel"
    assert not tab.save.enabled
    assert tab.progress.text().startswith("50 %")
    assert "left" in tab.progress.text()
    window.press_row(0)
    assert MASK_NAME in window.viewer.layers
    window.run()
    assert tab.status.text() == "Stopping \u2026"
    gated.gate.set()
    window.settle()
    assert len(gated.seen) == 4
    assert tab.run.text == "Run"
    assert tab.save.enabled
    assert tab.table.rowCount() == 1
    assert "then stopped" in tab.status.text()


def test_a_chosen_row_stays_chosen_while_others_come(window: Window) -> None:
    gated = Gated(9)
    window.use(gated)
    window.tab.max_objects.value = 8
    window.tab.min_area.value = 1
    window.run()
    window.bot.waitUntil(lambda: window.tab.table.rowCount() == 3)
    window.press_row(2)
    chosen, table = window.texts(2), window.tab.table
    window.viewer.dims.set_current_step(0, 5)
    shown = window.viewer.dims.point
    told: list[int] = []
    table.chosen.connect(told.append)
    gated.gate.set()
    window.settle()
    assert table.rowCount() == 8
    rows = [window.texts(row) for row in range(8)]
    assert [float(row[2]) for row in rows] == sorted(float(row[2]) for row in rows)
    (current,) = {index.row() for index in table.selectedIndexes()}
    assert rows[current] == chosen
    assert current > 2
    assert window.viewer.dims.point == shown
    assert told == []
    window.press_row(current)
    window.press_row(current - 1)
    assert told == [current, current - 1]


def test_errors_are_notifications(window: Window) -> None:
    window.use(BrightDisks())
    window.truth.data = np.zeros(SHAPE, np.uint8)
    window.run()
    window.settle()
    small = window.viewer.add_labels(np.ones((5, 5), np.uint8), name="small")
    window.tab.labels.value = small
    window.run()
    told = [record.message for record in notification_manager.records[-2:]]
    assert "no object of at least 20 pixels" in told[0]
    assert told[1] == (
        "Labels layer 'small' has shape (5, 5), image 'scan' has (6, 96, 128): "
        "choose a ground truth of the same shape."
    )
    assert window.tab.status.text() == told[1]


def test_own_layers_are_no_ground_truth(window: Window) -> None:
    window.use(BrightDisks())
    window.run()
    window.settle()
    window.press_row(0)
    assert MASK_NAME in window.viewer.layers
    assert list(window.tab.labels.choices) == [window.truth]
    other = window.viewer.add_labels(np.zeros(SHAPE, np.uint8))
    assert list(window.tab.labels.choices) == [window.truth, other]


def test_the_window_answers_while_it_saves_and_saving_can_be_cancelled(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated = Gated(3)
    gated.gate.set()
    window.use(gated)
    window.run()
    window.settle()
    gated.gate.clear()
    window.save(tmp_path, monkeypatch)
    window.bot.waitUntil(lambda: (tmp_path / "curves.png").is_file(), timeout=60_000)
    tab = window.tab
    assert tab.run.text == "Cancel"
    assert not tab.save.enabled
    assert tab.status.text() == "Saving the report \u2026"
    window.press_row(1)
    assert MASK_NAME in window.viewer.layers
    window.run()
    assert tab.status.text() == "Stopping \u2026"
    gated.gate.set()
    window.settle()
    assert tab.status.text().startswith(f"Stopped: {tmp_path} has objects.csv")
    assert not (tmp_path / "report.html").exists()
    assert tab.run.text == "Run"
    assert tab.save.enabled
    window.save(tmp_path / "whole", monkeypatch)
    window.settle()
    assert (tmp_path / "whole/report.html").is_file()
    assert tab.progress.text() == "100 %"


@pytest.mark.parametrize("what", ["dock", "viewer"])
def test_closing_during_saving_stops_it(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    gated = Gated(3)
    gated.gate.set()
    window.use(gated)
    window.run()
    window.settle()
    gated.gate.clear()
    seen = len(gated.seen)
    window.save(tmp_path, monkeypatch)
    window.bot.waitUntil(lambda: (tmp_path / "curves.png").is_file(), timeout=60_000)
    if what == "dock":
        window.viewer.window.remove_dock_widget(window.dock)
    else:
        window.viewer.close()
    window.bot.wait(50)
    gated.gate.set()
    window.bot.waitUntil(lambda: len(gated.seen) == seen + 1)
    window.bot.wait(200)
    assert len(gated.seen) == seen + 1
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("what", ["dock", "viewer"])
def test_closing_during_a_run_stops_it(window: Window, what: str) -> None:
    gated = Gated(3)
    window.use(gated)
    window.tab.max_objects.value = 8
    window.run()
    window.bot.waitUntil(lambda: window.tab.table.rowCount() == 1)
    if what == "dock":
        window.viewer.window.remove_dock_widget(window.dock)
    else:
        window.viewer.close()
    window.bot.wait(50)
    gated.gate.set()
    window.bot.waitUntil(lambda: len(gated.seen) == 4)
    window.bot.wait(100)
    assert len(gated.seen) == 4
    assert MASK_NAME not in window.viewer.layers


def test_clicks_in_the_segment_tab_are_answered_meanwhile(window: Window) -> None:
    class Ready(BrightDisks):
        """Lets one call of the evaluation wait at a time, and clicks between."""

        clicked = Event()

        def predict(self, image: Any, clicks: Any, previous: Any = None) -> Prediction:
            self.clicked.wait(0.02)
            return super().predict(image, clicks, previous)

    ready = Ready()
    window.use(ready)
    window.tab.max_objects.value = 30
    window.tab.min_area.value = 1
    window.tab.clicks.value = 50
    window.run()
    window.bot.waitUntil(lambda: window.controller.state.progress.clicks > 2)
    window.dock.controller.start(window.image)
    window.viewer.layers["clicks"].add([3, 40, 40])
    masks = window.viewer.layers["SimpleClick"]
    window.bot.waitUntil(lambda: masks.data[3, 40, 40] == 1)
    assert window.controller.state.is_running
    window.run()
    window.settle()


def test_the_tab_fits_a_usual_and_a_narrow_window(window: Window) -> None:
    area = window.tab.parentWidget().parentWidget()
    assert not area.verticalScrollBar().isVisible()
    assert window.dock.minimumSizeHint().width() <= 260
    assert window.dock.minimumSizeHint().height() <= 450
    window.dock.setFixedWidth(260)
    window.bot.wait(50)
    for widget in window.tab.findChildren(QPushButton):
        text = widget.fontMetrics().horizontalAdvance(widget.text())
        assert text <= widget.width(), widget.text()
    for widget in (window.tab.curve, window.tab.table, window.tab.run.native):
        right = widget.mapTo(window.dock, widget.rect().topRight()).x()
        assert right <= 260


def test_the_curve_tells_the_number_under_the_mouse(window: Window) -> None:
    curve = window.tab.curve
    curve.set_values([0.25, 0.5, 0.875])
    window.bot.mouseMove(curve, curve.place(3).toPoint())
    assert curve.readout == "@3: 0.875"
    window.bot.mouseMove(curve, curve.place(1).toPoint())
    assert curve.readout == "@1: 0.250"
    colours = curve.grab().toImage()
    place = curve.place(2).toPoint()
    assert colours.pixelColor(place).name() == "#2ecc40"
    window.bot.mouseMove(window.tab.table)
    assert curve.readout == ""
    curve.set_values([])
    assert curve.readout == ""
