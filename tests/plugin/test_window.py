"""The dock in a real napari window, with real mouse and key events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import napari
import numpy as np
import pytest
from napari.layers import Labels, Points
from napari.utils.notifications import notification_manager
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget

from napari_simpleclick.demo import open_demo
from napari_simpleclick.inference.obedience import obedient
from napari_simpleclick.io.files import read_volume
from napari_simpleclick.io.sample_data import brain_mri
from napari_simpleclick.modeling.catalog import resolve
from napari_simpleclick.modeling.runtimes.candidates import candidates
from napari_simpleclick.modeling.runtimes.runtime import title_of
from napari_simpleclick.plugin.camera import camera_of
from napari_simpleclick.plugin.model_choice import FROM_FILE, ModelChoice
from napari_simpleclick.plugin.widget import SimpleClickWidget
from napari_simpleclick.types import Prediction
from tests.plugin.conftest import BrightDisks, Gated

PLAIN = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


class Window:
    """A napari window with the dock, driven by mouse and keys."""

    def __init__(self, viewer: napari.Viewer, bot: QtBot) -> None:
        self.viewer, self.bot = viewer, bot
        viewer.window.resize(1300, 850)
        self.data, arguments, _ = brain_mri()[0]
        self.image = viewer.add_image(self.data, **arguments)
        _, self.dock = viewer.window.add_plugin_dock_widget(
            "napari-simpleclick", "SimpleClick"
        )
        self.controller = self.dock.controller
        self.settle()

    @property
    def canvas(self) -> QWidget:
        """The widget that napari draws on."""
        return self.viewer.window._qt_viewer.canvas.native

    @property
    def points(self) -> Points:
        return self.viewer.layers["clicks"]

    @property
    def labels(self) -> Labels:
        return self.viewer.layers["SimpleClick"]

    def settle(self) -> None:
        self.bot.waitUntil(lambda: not self.controller.state.is_busy, timeout=60_000)

    def use(self, predictor: Any) -> None:
        self.controller.load_model(lambda: predictor, "test model")
        self.settle()

    def start(self) -> None:
        self.bot.mouseClick(self.dock.start.native, Qt.MouseButton.LeftButton)
        self.bot.waitUntil(lambda: self.controller.state.is_running)
        self.bot.wait(50)

    def place(self, *voxel: float) -> QPoint:
        """Where on the canvas a voxel is shown."""
        camera = camera_of(self.viewer)
        missing = self.viewer.dims.ndim - self.image.ndim
        shown = [axis - missing for axis in self.viewer.dims.displayed]
        world = np.array(self.image.data_to_world(voxel))[shown]
        size = np.array([self.canvas.height(), self.canvas.width()])
        row, col = (world - np.array(camera.center)[-2:]) * camera.zoom + size / 2
        return QPoint(round(col), round(row))

    def click(
        self,
        *voxel: float,
        modifier: Qt.KeyboardModifier = PLAIN,
        button: Qt.MouseButton = Qt.MouseButton.LeftButton,
    ) -> None:
        place = self.place(*voxel)
        self.bot.mouseMove(self.canvas, place)
        self.bot.mouseClick(self.canvas, button, modifier, place)

    def drag(self, begin: tuple[float, ...], end: tuple[float, ...]) -> None:
        left, places = Qt.MouseButton.LeftButton, (self.place(*begin), self.place(*end))
        self.bot.mouseMove(self.canvas, places[0])
        self.bot.mousePress(self.canvas, left, PLAIN, places[0])
        for part in (0.3, 0.6, 1.0):
            self.bot.mouseMove(self.canvas, places[0] + (places[1] - places[0]) * part)
            self.bot.wait(20)
        self.bot.mouseRelease(self.canvas, left, PLAIN, places[1])

    def show(self, data: Any, **arguments: Any) -> None:
        """Have this image alone, on axis 0."""
        self.viewer.layers.clear()
        self.image = self.viewer.add_image(data, name="shown", **arguments)

    def look_at(self, index: int) -> None:
        """Go to a slice along axis 0."""
        self.viewer.dims.set_point(0, self.image.data_to_world((index, 0, 0))[0])
        self.bot.wait(50)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = PLAIN) -> None:
        self.bot.keyClick(self.canvas, key, modifier)
        self.settle()

    def area(self, object_id: int = 1) -> int:
        return int((self.labels.data == object_id).sum())


@pytest.fixture
def window(
    make_napari_viewer: Callable[..., napari.Viewer], qtbot: QtBot
) -> Iterator[Window]:
    made = Window(make_napari_viewer(show=True), qtbot)
    made.use(BrightDisks())
    yield made
    made.controller.close()


def test_from_start_to_saved_and_reloaded(window: Window, tmp_path: Path) -> None:
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 60)
    window.settle()
    first = window.area()
    assert first > 50
    assert window.labels.data[8, 50, 60] == 1
    window.click(8, 50, 66, modifier=SHIFT)
    window.settle()
    assert 0 < window.area() < first
    assert list(window.points.features["sign"]) == ["+", "-"]
    window.key(Qt.Key.Key_U)
    assert window.area() == first
    window.viewer.dims.set_current_step(0, 12)
    window.click(12, 50, 60)
    window.settle()
    window.viewer.dims.order = (1, 0, 2)
    window.viewer.dims.set_current_step(1, 30)
    window.bot.wait(50)
    window.click(10, 30, 80)
    window.settle()
    used = np.nonzero(window.labels.data)
    assert {8, 12} <= set(used[0])
    assert window.labels.data[10, 30, 80] == 1
    for name in ("mask.nii.gz", "mask.tif"):
        path = str(tmp_path / name)
        window.labels.save(path, plugin="napari-simpleclick")
        np.testing.assert_array_equal(read_volume(path).data, window.labels.data)
        (reloaded,) = window.viewer.open(path, plugin="napari-simpleclick")
        np.testing.assert_array_equal(reloaded.data, window.labels.data)
        np.testing.assert_allclose(reloaded.scale, window.image.scale)


def test_keys_work_in_our_layers_and_nowhere_else(window: Window) -> None:
    window.start()
    others = [window.viewer.add_points(np.empty((0, 3))), window.image]
    for layer in (window.points, window.labels):
        window.viewer.layers.selection.active = layer
        sign = window.controller.state.sign
        window.key(Qt.Key.Key_T)
        assert window.controller.state.sign != sign
        number = window.controller.state.object_id
        window.key(Qt.Key.Key_N)
        assert window.controller.state.object_id == number + 1
    for layer in others:
        window.viewer.layers.selection.active = layer
        state = window.controller.state
        for key in (Qt.Key.Key_T, Qt.Key.Key_N, Qt.Key.Key_U, Qt.Key.Key_R):
            window.key(key)
        assert window.controller.state == state


def test_shift_u_redoes_and_r_resets(window: Window) -> None:
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 60)
    window.settle()
    area = window.area()
    window.key(Qt.Key.Key_U)
    assert window.area() == 0
    window.key(Qt.Key.Key_U, SHIFT)
    assert window.area() == area
    window.key(Qt.Key.Key_R)
    assert window.area() == 0
    assert len(window.points.data) == 0


def test_buttons_of_the_dock(window: Window) -> None:
    dock = window.dock
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 60)
    window.settle()
    area = window.area()
    assert dock.status.text() == "Object 1: 1 click on this slice."
    for button, expected in ((dock.undo, 0), (dock.redo, area), (dock.reset, 0)):
        window.bot.mouseClick(button.native, Qt.MouseButton.LeftButton)
        assert window.area() == expected
    window.bot.mouseClick(dock.next_object.native, Qt.MouseButton.LeftButton)
    assert dock.object_id.native.value() == 2
    dock.sign.value = "-"
    assert window.controller.state.sign == "-"


def test_labels_of_any_size_are_shown_and_typed(window: Window) -> None:
    window.show(np.zeros((24, 40, 30), np.uint8))
    existing = np.zeros((24, 40, 30), np.uint64)
    existing[0, 0, 0] = 2**63 - 2
    window.dock.labels.value = window.viewer.add_labels(existing)
    told = len(notification_manager.records)
    window.start()
    window.look_at(12)
    box = window.dock.object_id.native
    for object_id in (2**63 - 1, 2**63, 0xFFFFFFFF):
        if object_id != 2**63 - 1:
            box.lineEdit().selectAll()
            window.bot.keyClicks(box, f"-{object_id}")
            window.bot.keyClick(box, Qt.Key.Key_Enter)
        window.click(12, 20, 15)
        window.settle()
        assert box.text() == box.toolTip() == str(object_id)
        assert window.points.features["object"].iloc[-1] == object_id
    window.points.selected_data = {0}
    window.points.remove_selected()
    assert list(window.points.features["object"]) == [2**63, 0xFFFFFFFF]
    assert len(notification_manager.records) == told


@pytest.mark.parametrize(("sign", "shown"), [("+", 1), ("-", 0)])
def test_a_click_is_obeyed_at_every_threshold(
    window: Window, sign: str, shown: int
) -> None:
    class Stubborn(BrightDisks):
        def predict(self, image: Any, clicks: Any, previous: Any = None) -> Prediction:
            whole = np.full(image.shape[:2], 1 - shown, np.float32)
            return obedient(Prediction(whole), clicks, (0, 0))

    window.show(np.zeros((24, 40, 30), np.uint8))
    window.use(Stubborn())
    window.start()
    window.look_at(12)
    window.dock.sign.value = sign
    window.click(12, 20, 15)
    window.settle()
    slider = window.dock.threshold
    assert (slider.min, slider.max) == pytest.approx((0.26, 0.74))
    for value in (slider.min, slider.max):
        slider.value = value
        assert window.labels.data[12, 20, 15] == shown
        assert window.labels.data[12, 20, 16] == 1 - shown


def test_the_window_answers_while_the_model_computes(window: Window) -> None:
    predictor = Gated()
    window.use(predictor)
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    for col in (40, 50, 60, 70):
        window.click(8, 50, col)
    assert len(window.points.data) == 4
    assert window.controller.state.is_busy
    window.bot.waitUntil(window.dock.busy.isVisible)
    assert window.area() == 0
    predictor.gate.set()
    window.settle()
    assert all(window.labels.data[8, 50, col] for col in (40, 50, 60, 70))


def test_dragging_pans_and_adds_nothing(window: Window) -> None:
    window.start()
    begin, end = window.place(8, 50, 60), window.place(8, 60, 70)
    left = Qt.MouseButton.LeftButton
    window.bot.mousePress(window.canvas, left, PLAIN, begin)
    window.bot.mouseMove(window.canvas, end)
    window.bot.mouseRelease(window.canvas, left, PLAIN, end)
    window.settle()
    assert len(window.points.data) == 0


def test_a_right_click_has_the_other_sign(window: Window) -> None:
    window.use(BrightDisks())
    window.start()
    window.click(8, 50, 66)
    window.click(8, 50, 70, button=Qt.MouseButton.RightButton)
    window.click(8, 50, 74)
    window.settle()
    assert list(window.points.features["sign"]) == ["+", "-", "+"]


def test_the_slider_shows_the_threshold_of_the_object(window: Window) -> None:
    window.use(BrightDisks())
    window.start()
    window.click(8, 50, 66)
    window.settle()
    window.dock.threshold.value = 0.6
    window.key(Qt.Key.Key_N)
    window.dock.threshold.value = 0.3
    window.dock.object_id.native.setValue(1)
    assert window.dock.threshold.value == 0.6
    assert window.controller.state.threshold == 0.6


def test_another_image_gets_masks_of_its_own(window: Window) -> None:
    window.use(BrightDisks())
    window.start()
    window.click(8, 50, 66)
    window.settle()
    first, masks = window.image, window.labels
    before = masks.data.copy()
    other = window.viewer.add_image(window.data[:, ::-1], translate=(0, 200, 0))
    assert window.dock.labels.value is masks
    window.dock.image.value = other
    assert window.dock.labels.value is None
    window.dock.image.value = first
    assert window.dock.labels.value is masks
    window.dock.image.value = other
    window.start()
    assert window.controller.labels is not masks
    np.testing.assert_array_equal(masks.data, before)
    np.testing.assert_array_equal(masks.translate, first.translate)


def test_going_back_to_an_image_goes_on_with_its_masks(window: Window) -> None:
    window.start()
    first, masks = window.image, window.labels
    other = window.viewer.add_image(window.data[:, ::-1])
    window.dock.image.value = other
    window.start()
    window.dock.image.value = first
    assert window.dock.labels.value is masks
    window.start()
    assert window.controller.labels is masks
    window.dock.image.value = other
    window.start()
    window.viewer.layers.remove(masks)
    window.dock.image.value = first
    assert window.dock.labels.value is None


def test_the_mask_is_there_when_the_button_comes_up(window: Window) -> None:
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 40)
    window.settle()
    place, left = window.place(8, 50, 70), Qt.MouseButton.LeftButton
    window.bot.mouseMove(window.canvas, place)
    window.bot.mousePress(window.canvas, left, PLAIN, place)
    window.settle()
    assert window.labels.data[8, 50, 70] == 0
    window.bot.mouseRelease(window.canvas, left, PLAIN, place)
    assert window.labels.data[8, 50, 70] == 1
    assert not window.controller.state.is_busy


def test_3d_view_and_back(window: Window) -> None:
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 60)
    window.settle()
    area = window.area()
    window.viewer.dims.ndisplay = 3
    window.bot.mouseClick(
        window.canvas, Qt.MouseButton.LeftButton, PLAIN, window.canvas.rect().center()
    )
    window.settle()
    assert window.area() == area
    window.viewer.dims.ndisplay = 2
    window.key(Qt.Key.Key_U)
    assert window.area() == 0


def test_closing_the_dock_lets_go_and_it_opens_again(window: Window) -> None:
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 60)
    window.settle()
    area, labels = window.area(), window.labels
    window.viewer.window.remove_dock_widget(window.dock)
    window.bot.wait(50)
    assert not window.controller.state.is_running
    assert window.points.mode == "pan_zoom"
    window.points.add([8, 20, 20])
    window.viewer.dims.set_current_step(0, 9)
    assert window.area() == area
    _, window.dock = window.viewer.window.add_plugin_dock_widget(
        "napari-simpleclick", "SimpleClick"
    )
    window.controller = window.dock.controller
    window.settle()
    window.use(BrightDisks())
    window.dock.labels.value = labels
    window.start()
    assert window.controller.state.object_id == 2


def test_start_without_an_image_says_so(window: Window) -> None:
    window.viewer.layers.clear()
    window.bot.mouseClick(window.dock.start.native, Qt.MouseButton.LeftButton)
    assert window.dock.status.text() == "Open an image first, then press Start."


def test_a_file_that_is_no_checkpoint_is_explained(
    window: Window, tmp_path: Path
) -> None:
    path = tmp_path / "notes.pth"
    path.write_text("not a checkpoint")
    window.dock.choice.import_file(path)
    window.settle()
    assert "notes.pth" in window.dock.status.text()
    assert "notes.pth" in notification_manager.records[-1].message
    assert window.controller.predictor is not None
    assert window.dock.choice.model.value == "default"


def test_the_bundled_model_answers_a_click(window: Window) -> None:
    window.dock.choice.device.value = "cpu"
    window.settle()
    runtime = window.dock.choice.runtime.text()
    assert runtime == title_of(next(candidates("cpu")))
    assert f"ready: {runtime}." in window.dock.status.text()
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 42, 64)
    window.settle()
    assert set(np.nonzero(window.labels.data)[0]) == {8}


def test_the_demo_opens_as_if_it_were_clicked(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "mine.safetensors"
    model.write_bytes(resolve("default").read_bytes())
    monkeypatch.setattr(napari, "run", lambda: None)
    open_demo(model, "cpu", "torch-float32")
    viewer = napari.current_viewer()
    assert viewer is not None
    docks = [x for x in QApplication.allWidgets() if isinstance(x, SimpleClickWidget)]
    (dock,) = [each for each in docks if each.window() is viewer.window._qt_window]
    masks, clicks = viewer.layers["SimpleClick"], viewer.layers["clicks"]
    window.bot.waitUntil(lambda: not dock.controller.state.is_busy, timeout=60_000)
    assert masks.data.any()
    assert dock.labels.value is masks
    assert (dock.choice.name, dock.choice.device.value) == (str(model), "cpu")
    assert dock.choice.model.native.currentText() == "mine.safetensors (in use)"
    assert dock.choice.runtime.text() == title_of("torch-float32")
    dock.begin()
    assert [*viewer.layers][1:] == [masks, clicks]
    assert dock.controller.state.can_undo
    dock.choice.device.value = "auto"
    window.bot.waitUntil(lambda: not dock.controller.state.is_busy, timeout=60_000)
    assert (dock.choice.name, dock.choice.device.value) == (str(model), "auto")
    viewer.close()


def test_a_layer_that_is_renamed_stays_chosen(window: Window) -> None:
    dock, viewer = window.dock, window.viewer
    window.use(BrightDisks())
    other = viewer.add_image(np.zeros((4, 30, 40)), name="other")
    truths = [viewer.add_labels(np.ones((4, 30, 40), int)) for _ in range(2)]
    dock.image.value = dock.evaluation.image.value = other
    dock.evaluation.labels.value = truths[1]
    window.start()
    viewer.dims.set_current_step(0, 1)
    masks, clicks = dock.controller.labels, viewer.layers["clicks"]
    for layer in (other, masks, truths[1]):
        layer.name = f"renamed {layer.name}"
        assert (dock.image.value, dock.labels.value) == (other, masks)
        assert dock.image.native.currentText() == other.name
        assert dock.labels.native.currentText() == masks.name
        assert dock.evaluation.image.value is other
        assert dock.evaluation.labels.value is truths[1]
    window.start()
    assert dock.controller.labels is masks
    assert clicks.visible


def test_two_docks_do_not_disturb_each_other(window: Window) -> None:
    other = SimpleClickWidget(window.viewer)
    window.bot.addWidget(other)
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 60)
    window.settle()
    assert window.area() > 0
    assert not other.controller.state.is_running
    window.bot.waitUntil(lambda: not other.controller.state.is_busy, timeout=60_000)
    other.controller.close()


def import_bundled(window: Window, path: Path) -> ModelChoice:
    """Choose a copy of the bundled model from a file of this name."""
    path.write_bytes(resolve("default").read_bytes())
    window.dock.choice.import_file(path)
    window.settle()
    return window.dock.choice


def test_a_chosen_file_joins_the_models(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    choice = import_bundled(window, tmp_path / "mine.safetensors")
    assert choice.model.value == "mine"
    assert "'mine'" in window.dock.status.text()
    assert "ready" in window.dock.status.text()


def test_a_second_file_of_one_name_is_in_use_under_its_own(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    choice = import_bundled(window, tmp_path / "default.safetensors")
    assert choice.name == choice.model.value == "default-2"
    assert "'default-2'" in window.dock.status.text()


def test_a_model_whose_file_is_gone_stays_in_use_and_chosen(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    choice = import_bundled(window, tmp_path / "mine.safetensors")
    for kept in (tmp_path / "napari-simpleclick" / "checkpoints").iterdir():
        kept.unlink()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    choice.model.value = FROM_FILE
    assert choice.model.value == "mine"
    assert choice.model.native.currentText() == "mine (in use)"
    choice.device.value = "cpu"
    window.settle()
    assert (choice.model.value, choice.device.value) == ("mine", "auto")
    assert "mine" in window.dock.status.text()
    choice.model.value = "default"
    window.settle()
    assert "mine" not in choice.model.choices


def test_the_dock_opens_without_any_model(
    make_napari_viewer: Callable[..., napari.Viewer],
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("napari_simpleclick.plugin.model_choice.list_models", tuple)
    dock = SimpleClickWidget(make_napari_viewer())
    qtbot.addWidget(dock)
    assert "missing" in dock.status.text()
    dock.controller.close()


def test_dragging_a_click_moves_the_mask(window: Window) -> None:
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 30, 40)
    window.click(8, 60, 60)
    window.settle()
    window.key(Qt.Key.Key_3)
    window.drag((8, 30, 40), (8, 30, 90))
    window.settle()
    np.testing.assert_allclose(window.points.data[0], [8, 30, 90], atol=1)
    assert window.labels.data[8, 30, 40] == 0
    assert window.labels.data[8, 30, 90] == window.labels.data[8, 60, 60] == 1
    window.key(Qt.Key.Key_U)
    assert window.labels.data[8, 30, 40] == 1
    assert window.labels.data[8, 30, 90] == 0


def test_deleting_a_click_with_the_delete_key(window: Window) -> None:
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    for col in (30, 60, 90):
        window.click(8, 50, col)
    window.settle()
    window.key(Qt.Key.Key_3)
    window.click(8, 50, 60)
    window.key(Qt.Key.Key_Delete)
    assert len(window.points.data) == 2
    assert [window.labels.data[8, 50, col] for col in (30, 60, 90)] == [1, 0, 1]


def test_a_pasted_click_is_a_click(window: Window) -> None:
    told: list[str] = []
    window.controller.message.connect(told.append)
    window.show(window.data[8])
    window.start()
    window.click(30, 40)
    window.settle()
    window.key(Qt.Key.Key_3)
    window.click(30, 40)
    window.key(Qt.Key.Key_C, CONTROL)
    window.key(Qt.Key.Key_V, CONTROL)
    assert told[-1] == "Object 1: 2 clicks on this slice."
    window.key(Qt.Key.Key_2)
    window.click(60, 60)
    window.settle()
    assert told[-1] == "Object 1: 3 clicks on this slice."
    assert len(window.points.data) == 3
    assert window.labels.data[60, 60] == 1
    for _ in range(2):
        window.key(Qt.Key.Key_U)
    assert len(window.points.data) == 1
    assert window.labels.data[30, 40] == 1


def test_the_brush_and_its_undo_go_with_clicks(window: Window) -> None:
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 40)
    window.settle()
    clicked = window.labels.data.copy()
    window.viewer.layers.selection.active = window.labels
    window.labels.mode = "paint"
    window.drag((8, 30, 80), (8, 34, 84))
    painted = window.labels.data.copy()
    assert painted[8, 32, 82] == 1
    window.key(Qt.Key.Key_Z, CONTROL)
    np.testing.assert_array_equal(window.labels.data, clicked)
    window.key(Qt.Key.Key_Z, CONTROL | SHIFT)
    np.testing.assert_array_equal(window.labels.data, painted)
    window.viewer.layers.selection.active = window.points
    window.click(8, 50, 60)
    window.settle()
    assert window.labels.data[8, 32, 82] == window.labels.data[8, 50, 60] == 1
    window.key(Qt.Key.Key_U)
    np.testing.assert_array_equal(window.labels.data, painted)


def test_ten_fast_clicks_are_answered_in_order(window: Window) -> None:
    predictor = Gated()
    window.use(predictor)
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    columns = range(20, 110, 9)
    for col in columns:
        window.click(8, 50, col)
    assert len(window.points.data) == 10
    predictor.gate.set()
    window.settle()
    assert [len(clicks) for _, clicks, _ in predictor.seen] == list(range(1, 11))
    assert all(window.labels.data[8, 50, col] for col in columns)


def test_reset_drops_clicks_that_wait(window: Window) -> None:
    predictor = Gated()
    window.use(predictor)
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    for col in (40, 60, 80):
        window.click(8, 50, col)
    window.bot.keyClick(window.canvas, Qt.Key.Key_R)
    predictor.gate.set()
    window.settle()
    assert len(predictor.seen) == 1
    assert window.area() == 0
    assert window.dock.status.text() == "Object 1: no clicks on this slice."


def test_the_viewer_closes_while_the_model_computes(window: Window) -> None:
    predictor = Gated()
    window.use(predictor)
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 60)
    labels, controller = window.labels, window.controller
    assert controller.state.is_busy
    window.viewer.close()
    window.bot.waitUntil(lambda: not controller.state.is_running)
    predictor.gate.set()
    window.bot.waitUntil(lambda: len(predictor.seen) == 1)
    window.bot.wait(50)
    assert labels.data.max() == 0


@pytest.mark.parametrize(
    "transform",
    [
        {"scale": (4, 0.5, 1.5)},
        {"scale": (4, 0.5, 1.5), "translate": (-60, -40, -30)},
        {"rotate": np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])},
        {
            "affine": np.array(
                [[2, 0, 0, -9], [0, 0, 1, 5], [0, -1.5, 0, 3.0], [0, 0, 0, 1]]
            )
        },
        {"scale": (0.004, 0.0005, 0.0015), "units": ("mm", "mm", "mm")},
    ],
    ids=["anisotropic", "translated", "rotated", "affine", "millimetres"],
)
def test_clicks_meet_their_pixels_in_any_place(
    window: Window, transform: dict[str, Any]
) -> None:
    window.show(np.zeros((12, 60, 80), np.uint8), **transform)
    window.start()
    window.look_at(5)
    window.click(5, 20, 30)
    window.settle()
    np.testing.assert_allclose(window.points.data, [[5, 20, 30]], atol=0.6)
    used = np.nonzero(window.labels.data)
    assert set(used[0]) == {5}
    assert abs(used[1].mean() - 20) < 1
    assert abs(used[2].mean() - 30) < 1


def test_an_image_smaller_than_what_is_shown(window: Window) -> None:
    window.show(np.zeros((3, 60, 80), np.uint8), translate=(5, 40, 30))
    large = window.viewer.add_image(np.zeros((4, 20, 200, 200), np.uint8))
    window.dock.image.value = window.image
    window.start()
    window.viewer.reset_view()
    window.viewer.dims.set_point([0, 1], [2, 6])
    window.bot.wait(50)
    window.click(1, -20, -20)
    assert window.dock.status.text() == "Click inside image 'shown'."
    window.viewer.dims.set_point(1, 15)
    window.click(1, 30, 40)
    assert "No slice of image 'shown'" in window.dock.status.text()
    assert len(window.points.data) == 0
    assert window.area() == 0
    window.viewer.dims.set_point(1, 6)
    window.click(1, 30, 40)
    window.settle()
    assert window.labels.data[1, 30, 40] == 1
    assert large.data.max() == 0


@pytest.mark.parametrize("other", [{"units": ["pixel"] * 3}, {"units": ["mm"] * 3}])
def test_layers_in_other_units_do_not_shift_the_clicks(
    window: Window, other: dict[str, Any]
) -> None:
    data = np.zeros((12, 60, 80), np.uint8)
    window.show(data, scale=(4, 1, 1), units=("um", "um", "um"))
    window.viewer.add_image(data, scale=[0.001] * 3, **other)
    window.dock.image.value = window.image
    window.start()
    window.viewer.reset_view()
    window.look_at(5)
    window.click(5, 20, 30)
    window.settle()
    assert window.labels.data[5, 20, 30] == 1
    assert set(np.nonzero(window.labels.data)[0]) == {5}


def test_where_napari_converts_units_clicks_are_refused(window: Window) -> None:
    data = np.zeros((12, 60, 80), np.uint8)
    window.show(data, units=("mm", "mm", "mm"))
    window.viewer.add_image(data, scale=[1000] * 3, units=("um", "um", "um"))
    window.dock.image.value = window.image
    window.start()
    window.points.add([5, 20, 30])
    converts = hasattr(window.viewer.dims, "units")  # releases from 0.7 on
    assert ("give all layers the same" in window.dock.status.text()) == converts
    assert len(window.points.data) == (0 if converts else 1)


def test_an_error_of_the_model_is_a_notification(window: Window) -> None:
    class Broken(BrightDisks):
        def predict(self, *arguments: Any) -> Prediction:
            raise RuntimeError("out of memory")

    window.use(Broken())
    window.start()
    window.viewer.dims.set_current_step(0, 8)
    window.click(8, 50, 60)
    window.settle()
    expected = "There is no mask for the last click: out of memory"
    assert window.dock.status.text() == expected
    assert notification_manager.records[-1].message == expected
    assert len(window.points.data) == 1
    window.use(BrightDisks())
    window.click(8, 50, 70)
    window.settle()
    assert window.labels.data[8, 50, 60] == window.labels.data[8, 50, 70] == 1


def test_loading_is_seen_and_nothing_jumps(window: Window) -> None:
    gate = Event()

    def load() -> BrightDisks:
        assert gate.wait(20)
        return BrightDisks()

    dock, place = window.dock, window.dock.status.pos()
    assert not dock.busy.isVisible()
    window.controller.load_model(load, "Model 'x' (cpu)")
    window.bot.waitUntil(dock.busy.isVisible)
    assert dock.status.text() == "Loading Model 'x' (cpu) \u2026"
    assert dock.status.pos() == place
    gate.set()
    window.settle()
    assert not dock.busy.isVisible()
    assert dock.status.text() == "Model 'x' (cpu) is ready."


def test_a_narrow_dock_cuts_nothing_off(window: Window) -> None:
    window.start()
    assert window.dock.minimumSizeHint().width() <= 260
    window.dock.setFixedWidth(260)
    window.bot.wait(50)
    for button in window.dock.findChildren(QPushButton):
        text = button.fontMetrics().horizontalAdvance(button.text())
        assert text <= button.width(), button.text()
        assert button.mapTo(window.dock, button.rect().topRight()).x() <= 260


def test_opened_twice_it_is_one_dock(window: Window) -> None:
    _, again = window.viewer.window.add_plugin_dock_widget(
        "napari-simpleclick", "SimpleClick"
    )
    assert again is window.dock


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 1, 0)])
def test_what_is_drawn_is_what_the_layer_holds(
    window: Window, order: tuple[int, int, int]
) -> None:
    window.show(np.zeros((24, 40, 30), np.uint8))
    window.start()
    window.viewer.dims.order = order
    window.viewer.dims.set_point(order[0], 12)
    window.bot.wait(50)
    for number, voxel in enumerate([(12, 14, 12), (12, 20, 12), (12, 30, 12)]):
        if number == 2:
            window.controller.next_object()
        window.click(*voxel)
        window.settle()
    assert window.area(1) > window.area(2) > 20
    window.key(Qt.Key.Key_U)
    assert window.area(2) == 0
    drawn = window.viewer.screenshot(canvas_only=True, flash=False)
    window.labels.refresh()
    anew = window.viewer.screenshot(canvas_only=True, flash=False)
    np.testing.assert_array_equal(drawn, anew)
    window.labels.visible = False
    without = window.viewer.screenshot(canvas_only=True, flash=False)
    assert (drawn != without).any()
