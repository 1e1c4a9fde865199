"""SimpleClickWidget: the dock, in the order in which it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Container, FloatSlider, PushButton, SpinBox
from napari.layers import Image, Labels
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFileDialog, QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_simpleclick.modeling.catalog import import_checkpoint, list_models
from napari_simpleclick.plugin.click_layer import COLOURS
from napari_simpleclick.plugin.controller import ACTION_KEYS, SegmentationController
from napari_simpleclick.plugin.driver_conflict import load_triton_apart
from napari_simpleclick.plugin.worker import QtRunner

if TYPE_CHECKING:
    from pathlib import Path

    import napari
    from magicgui.widgets.bases import CategoricalWidget
    from napari.layers import Layer

    from napari_simpleclick.inference.predictor import Predictor
    from napari_simpleclick.plugin.state import State

NEW_LAYER = "new layer"
FROM_FILE = "from a file \u2026"
DEVICES = ("auto", "cpu", "cuda", "mps")
SIGN_NAMES = {"+": "+  inside the object", "-": "\u2212  outside the object"}
HINT = (
    "Click to add, Shift+click for the other sign. Press 3 to select a click, then "
    "drag it or press Delete; press 2 to add again."
)


class SimpleClickWidget(QWidget):
    """The SimpleClick dock.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that it docks to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.controller = SegmentationController(napari_viewer, QtRunner())
        self._was_docked = False
        self._loaded: str | None = None
        self._make_inputs()
        self._make_actions()
        self._make_status()
        self._lay_out()
        self._connect()
        self._load_model()
        self._show_state(self.controller.state)

    def event(self, event: QEvent | None) -> bool:
        """Let go of the viewer when napari takes the dock away."""
        if event is not None and event.type() == QEvent.Type.ParentChange:
            if self._was_docked and self.parent() is None:
                self._disconnect()
            self._was_docked = self.parent() is not None
        return bool(super().event(event))

    def _make_inputs(self) -> None:
        self.model = ComboBox(label="Model", choices=self._model_choices)
        self.device = ComboBox(label="Device", choices=DEVICES)
        self.image = ComboBox(label="Image", choices=self._image_choices)
        self.labels = ComboBox(label="Labels", choices=self._labels_choices)
        self.start = PushButton(text="Start")
        self.model.tooltip = (
            "The bundled model, or a checkpoint file (.safetensors, .pth)"
        )
        self.device.tooltip = "auto: a CUDA device where there is one, else the CPU"
        self.labels.tooltip = "Write to a new Labels layer, or continue one"

    def _make_actions(self) -> None:
        self.sign = ComboBox(
            label=f"Click [{ACTION_KEYS['toggle_sign']}]",
            choices=[(text, sign) for sign, text in SIGN_NAMES.items()],
        )
        self.object_id = SpinBox(label="Object", min=1, max=2**31 - 1)
        self.next_object = _button("New", "next_object", "Begin a new object")
        self.undo = _button("Undo", "undo", "Take the last click back")
        self.redo = _button("Redo", "redo", "Repeat what was undone")
        self.reset = _button(
            "Reset", "reset", "Remove the object's clicks and mask from this slice"
        )
        self.threshold = FloatSlider(
            label="Threshold", min=0.01, max=0.99, step=0.01, value=0.49
        )
        self.threshold.tooltip = "Higher: smaller mask. For all slices of the object"

    def _make_status(self) -> None:
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.busy = QProgressBar()
        self.busy.setTextVisible(False)
        self.busy.setFixedHeight(6)
        self.hint = QLabel(HINT)
        self.hint.setWordWrap(True)

    def _lay_out(self) -> None:
        self._inputs: Container[Any] = Container(
            widgets=[self.model, self.device, self.image, self.labels, self.start]
        )
        history = [self.undo, self.redo, self.reset]
        self._actions: Container[Any] = Container(
            widgets=[
                self.sign,
                Container(
                    label="Object",
                    layout="horizontal",
                    labels=False,
                    widgets=[self.object_id, self.next_object],
                ),
                Container(layout="horizontal", labels=False, widgets=history),
                self.threshold,
            ]
        )
        layout = QVBoxLayout(self)
        for part in (self._inputs.native, self._actions.native):
            layout.addWidget(part)
        for part in (self.busy, self.status, self.hint):
            layout.addWidget(part)
        layout.addStretch()
        for button in (self.start, self.next_object, *history):
            button.native.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def _connect(self) -> None:
        controller = self.controller
        controller.changed.connect(self._show_state)
        controller.message.connect(self._show_message)
        controller.failed.connect(self._show_failure)
        self.model.changed.connect(self._load_model)
        self.device.changed.connect(self._load_model)
        self.start.changed.connect(self._start)
        self.sign.changed.connect(controller.set_sign)
        self.object_id.changed.connect(controller.set_object)
        self.threshold.changed.connect(controller.set_threshold)
        for name in ("next_object", "undo", "redo", "reset"):
            getattr(self, name).changed.connect(getattr(controller, name))
        for event in self._layer_events():
            event.connect(self._refresh_layers)

    def _disconnect(self) -> None:
        for event in self._layer_events():
            event.disconnect(self._refresh_layers)
        self.controller.close()

    def _layer_events(self) -> list[Any]:
        events = self._viewer.layers.events
        return [events.inserted, events.removed, events.renamed]

    def _refresh_layers(self) -> None:
        self.image.reset_choices()
        self.labels.reset_choices()

    def _model_choices(self, _: CategoricalWidget[Any]) -> list[tuple[str, Any]]:
        available = [e for e in list_models() if e.is_available]
        models: list[tuple[str, Any]] = [(e.title, e.name) for e in available]
        return [*(models or [("none", None)]), (FROM_FILE, FROM_FILE)]

    def _image_choices(self, _: CategoricalWidget[Any]) -> list[tuple[str, Layer]]:
        return [(x.name, x) for x in self._viewer.layers if isinstance(x, Image)]

    def _labels_choices(
        self, _: CategoricalWidget[Any]
    ) -> list[tuple[str, Layer | None]]:
        labels = [(x.name, x) for x in self._viewer.layers if isinstance(x, Labels)]
        return [(NEW_LAYER, None), *labels]

    def _load_model(self) -> None:
        name, device = self.model.value, self.device.value
        if name is None:
            self._show_message("Choose a model: the bundled one is missing.")
            return
        if name == FROM_FILE:
            self._import_model()
            return

        self._loaded = name

        def load() -> Predictor:
            # torch takes seconds to import: not in the window's thread.
            load_triton_apart()
            from napari_simpleclick.inference.loading import load_predictor

            return load_predictor(name, device=device)

        self.controller.load_model(load, f"Model {name!r} ({device})")

    def _import_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Checkpoint", "", "Checkpoints (*.safetensors *.pth *.pt)"
        )
        self.import_model(path)

    def import_model(self, path: str | Path) -> None:
        """Add a checkpoint file to the catalogue and load it.

        Parameters
        ----------
        path : str or Path
            The file; after an empty string or an error the model stays what it was.
        """
        name = self._loaded
        if path:
            try:
                name = import_checkpoint(path).name
            except (OSError, ValueError) as error:
                self._show_failure(str(error))
        with self.model.changed.blocked():
            self.model.reset_choices()
            self.model.value = name
        if name != self._loaded:
            self._load_model()

    def _start(self) -> None:
        if self.image.value is None:
            self.status.setText("Open an image first, then press Start.")
            return
        try:
            self.controller.start(self.image.value, self.labels.value)
        except ValueError as error:
            self._show_failure(str(error))

    def _show_message(self, message: str) -> None:
        self.status.setText(message)

    def _show_failure(self, message: str) -> None:
        self._show_message(message)
        show_error(message)

    def _show_state(self, state: State) -> None:
        self._actions.enabled = state.is_running
        self.undo.enabled = state.can_undo
        self.redo.enabled = state.can_redo
        self.reset.enabled = state.is_running and state.click_count > 0
        self.busy.setRange(0, 0 if state.is_busy else 1)
        with self.sign.changed.blocked(), self.object_id.changed.blocked():
            self.sign.value = state.sign
            self.object_id.value = state.object_id
        self.sign.native.setStyleSheet(f"color: {COLOURS[state.sign]}")


def _button(text: str, action: str, tooltip: str) -> PushButton:
    key = ACTION_KEYS[action].replace("Shift-", "\u21e7")
    return PushButton(text=f"{text} [{key}]", tooltip=tooltip)
