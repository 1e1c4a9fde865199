"""SimpleClickWidget: the dock, in the order in which it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, FloatSlider, PushButton
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_simpleclick.inference.obedience import CONFIDENCE
from napari_simpleclick.plugin.busy_bar import BusyBar
from napari_simpleclick.plugin.click_layer import COLOURS
from napari_simpleclick.plugin.controller import ACTION_KEYS, SegmentationController
from napari_simpleclick.plugin.evaluation_widget import (
    PAGE_MARGINS,
    EvaluationWidget,
    new_form,
)
from napari_simpleclick.plugin.label_box import LabelBox
from napari_simpleclick.plugin.layer_box import LayerBox
from napari_simpleclick.plugin.model_choice import ModelChoice
from napari_simpleclick.plugin.tall_page import TallPage
from napari_simpleclick.plugin.worker import QtRunner

if TYPE_CHECKING:
    import napari
    from magicgui.widgets.bases import CategoricalWidget
    from napari.layers import Labels

    from napari_simpleclick.plugin.shared_predictor import SharedPredictor
    from napari_simpleclick.plugin.state import State

NEW_LAYER = "new layer"
STEP = 0.01
SIGN_NAMES = {"+": "+  inside", "-": "\u2212  outside"}
HINT = (
    "Click to add, right click for the other sign. Press 3 to select a click, then "
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
        self._was_docked = False
        self.controller = SegmentationController(napari_viewer, QtRunner())
        self.choice = ModelChoice(self.controller)
        self.evaluation = EvaluationWidget(
            napari_viewer, QtRunner(), self._model_in_use
        )
        self._make_layers()
        self._make_actions()
        self._make_status()
        self._lay_out()
        self._connect()
        self.choice.load()
        self._show_state(self.controller.state)

    def event(self, event: QEvent | None) -> bool:
        """Let go of the viewer when napari takes the dock away."""
        if event is not None and event.type() == QEvent.Type.ParentChange:
            if self._was_docked and self.parent() is None:
                self._close()
            self._was_docked = self.parent() is not None
        return bool(super().event(event))

    def _make_layers(self) -> None:
        self.image = LayerBox(choices=self.evaluation.images)
        self.labels = LayerBox(choices=self._labels_choices)
        self.start = PushButton(text="Start")

    def _make_actions(self) -> None:
        self.sign = ComboBox(
            choices=[(text, sign) for sign, text in SIGN_NAMES.items()]
        )
        self.object_id = LabelBox()
        self.next_object = _button("New", "next_object", "Begin a new object")
        self.undo = _button("Undo", "undo", "Take the last click back")
        self.redo = _button("Redo", "redo", "Repeat what was undone")
        self.reset = _button(
            "Reset",
            "reset",
            "Remove the object's clicks on this slice, and their mask",
        )
        ends = 1 - CONFIDENCE + STEP, CONFIDENCE - STEP  # beyond, clicks may be lost
        self.threshold = FloatSlider(min=ends[0], max=ends[1], step=STEP, value=0.49)
        self.threshold.tooltip = "Higher: smaller mask. For all slices of the object"

    def _make_status(self) -> None:
        self.status, self.hint = QLabel(), QLabel(HINT)
        for label in (self.status, self.hint):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.status.setMinimumHeight(2 * self.status.fontMetrics().lineSpacing())
        self.busy = BusyBar()

    def _lay_out(self) -> None:
        model = new_form()
        model.addRow("Model", self.choice.model.native)
        model.addRow("Device", self.choice.device.native)
        model.addRow("Runtime", self.choice.runtime)
        self.tabs = QTabWidget()
        self.tabs.addTab(TallPage(self._segment_page()), "Segment")
        self.tabs.addTab(TallPage(self.evaluation), "Evaluate")
        layout = QVBoxLayout(self)
        sides = layout.contentsMargins()
        model.setContentsMargins(sides.left(), sides.top(), sides.right(), 0)
        layout.setContentsMargins(0, 0, 0, 0)  # the dock may be narrow
        layout.addLayout(model)
        layout.addWidget(self.tabs, 1)
        for box in self.findChildren(QComboBox):
            # Long names must not widen the dock; a tooltip shows them whole.
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(8)
            if not box.toolTip():
                box.currentTextChanged.connect(box.setToolTip)
                box.setToolTip(box.currentText())

    def _segment_page(self) -> QWidget:
        form = new_form()
        form.addRow("Image", self.image.native)
        form.addRow("Labels", self.labels.native)
        form.addRow(self.start.native)
        form.addRow(f"Click [{ACTION_KEYS['toggle_sign']}]", self.sign.native)
        form.addRow("Object", _row(self.object_id, self.next_object))
        form.addRow(_row(self.undo, self.redo, self.reset))
        form.addRow("Threshold", self.threshold.native)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(*PAGE_MARGINS)
        layout.addLayout(form)
        for part in (self.busy, self.status, self.hint):
            layout.addWidget(part)
        layout.addStretch()
        return page

    def _connect(self) -> None:
        controller, evaluation = self.controller, self.evaluation.controller
        controller.changed.connect(self._show_state)
        controller.message.connect(self._show_message)
        controller.failed.connect(self._show_failure)
        controller.layers_changed.connect(self._refresh_layers)
        self.destroyed.connect(lambda: controller.close())
        self.destroyed.connect(lambda: evaluation.close())
        self.image.changed.connect(self._offer_labels)
        self.start.changed.connect(self.begin)
        self.sign.changed.connect(controller.set_sign)
        self.object_id.native.valueChanged.connect(controller.set_object)
        self.threshold.changed.connect(controller.set_threshold)
        for name in ("next_object", "undo", "redo", "reset"):
            getattr(self, name).changed.connect(getattr(controller, name))

    def _refresh_layers(self) -> None:
        self.image.reset_choices()
        self.labels.reset_choices()
        self.evaluation.refresh_layers()

    def _labels_choices(
        self, box: CategoricalWidget[Any]
    ) -> list[tuple[str, Labels | None]]:
        return [(NEW_LAYER, None), *self.evaluation.truths(box)]

    def _model_in_use(self) -> tuple[str, SharedPredictor | None]:
        return self.choice.name or "model", self.controller.predictor

    def _close(self) -> None:
        self.controller.stop()
        self.controller.close()
        self.evaluation.controller.close()

    def _offer_labels(self) -> None:
        """Offer an image the layer of its own masks, never that of another's."""
        if self.labels.value in (None, self.controller.labels):
            self.labels.value = self.controller.masks_of(self.image.value)

    def begin(self) -> None:
        """Segment the chosen image, in the chosen layer, as *Start* does."""
        if self.image.value is None:
            self._show_message("Open an image first, then press Start.")
            return
        try:
            self.controller.start(self.image.value, self.labels.value)
        except ValueError as error:
            self._show_failure(str(error))
        else:
            self.labels.value = self.controller.labels

    def _show_message(self, message: str) -> None:
        self.status.setText(message)

    def _show_failure(self, message: str) -> None:
        self._show_message(message)
        show_error(message)

    def _show_state(self, state: State) -> None:
        for part in (self.sign, self.next_object, self.threshold):
            part.enabled = state.is_running
        self.object_id.native.setEnabled(state.is_running)
        self.object_id.show(state.object_id)
        self.undo.enabled = state.can_undo
        self.redo.enabled = state.can_redo
        self.reset.enabled = state.click_count > 0
        self.busy.set_busy(state.is_busy)
        with self.sign.changed.blocked(), self.threshold.changed.blocked():
            self.sign.value = state.sign
            self.threshold.value = state.threshold
        style = f"color: {COLOURS[state.sign]}"
        if self.sign.native.styleSheet() != style:  # a new one restyles the dock
            self.sign.native.setStyleSheet(style)


def _button(text: str, action: str, tooltip: str) -> PushButton:
    key = ACTION_KEYS[action].replace("Shift-", "\u21e7")
    button = PushButton(text=f"{text} [{key}]", tooltip=tooltip)
    button.native.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button


def _row(*widgets: LabelBox | PushButton) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget.native, 1)
    return row
