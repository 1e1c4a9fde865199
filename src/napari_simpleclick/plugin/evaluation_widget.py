"""EvaluationWidget: the dock's tab for the robot user, in the order of its use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, PushButton, SpinBox
from napari.layers import Image, Labels
from napari.utils.notifications import show_error
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QLabel,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_simpleclick.plugin.evaluation_controller import EvaluationController
from napari_simpleclick.plugin.evaluation_curve import EvaluationCurve
from napari_simpleclick.plugin.evaluation_objects import (
    AUTO_SLICES,
    EvaluationSettings,
)
from napari_simpleclick.plugin.evaluation_table import EvaluationTable
from napari_simpleclick.plugin.layer_box import LayerBox

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from magicgui.widgets.bases import CategoricalWidget

    from napari_simpleclick.plugin.evaluation_state import (
        EvaluationState,
        Figures,
        Progress,
    )
    from napari_simpleclick.plugin.shared_predictor import SharedPredictor
    from napari_simpleclick.plugin.worker import Runner

DISPLAYED = "as displayed"
PAGE_MARGINS = (6, 9, 6, 6)  # of a tab; left, top, right, bottom, in pixels
HINT = "A robot user clicks the objects of a ground truth. No layer is changed."
CELLS = ("mIoU@1", "mIoU@5", "NoC@85", "mIoU@10", "mIoU@20", "NoC@90")


class EvaluationWidget(QWidget):
    """The Evaluate tab.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that it docks to.
    runner : Runner
        Runs evaluations.
    model : callable
        Returns name and predictor of the model in use, None before one is loaded.
    """

    def __init__(
        self,
        viewer: napari.Viewer,
        runner: Runner,
        model: Callable[[], tuple[str, SharedPredictor | None]],
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._model = model
        self.controller = EvaluationController(viewer, runner)
        self._make_choices()
        self._make_results()
        self._lay_out()
        self._connect()
        self._show_state(self.controller.state)

    def refresh_layers(self) -> None:
        """Offer the layers that there are now."""
        self.image.reset_choices()
        self.labels.reset_choices()

    def images(self, _: CategoricalWidget[Any]) -> list[tuple[str, Image]]:
        """Return the layers that a box offers as image."""
        return [(x.name, x) for x in self._viewer.layers if isinstance(x, Image)]

    def truths(self, _: CategoricalWidget[Any]) -> list[tuple[str, Labels]]:
        """Return the layers that a box offers as ground truth: all but results."""
        layers = [x for x in self._viewer.layers if isinstance(x, Labels)]
        return [(x.name, x) for x in layers if not self.controller.is_own(x)]

    def _make_choices(self) -> None:
        self.image = LayerBox(choices=self.images)
        self.labels = LayerBox(choices=self.truths)
        defaults = EvaluationSettings()
        self.labels.tooltip = "The ground truth: every object has a label of its own"
        self.clicks = SpinBox(min=1, max=100, value=defaults.max_clicks)
        self.axis = ComboBox(choices=self._axis_choices)
        self.every = QSpinBox()
        self.every.setRange(0, 9999)
        self.every.setSpecialValueText("auto")
        self.every.setToolTip(
            f"auto: up to {AUTO_SLICES} slices with objects, spread evenly"
        )
        self.min_area = SpinBox(min=1, max=2**31 - 1, value=defaults.min_area)
        self.min_area.tooltip = "Pixels; smaller objects are left out"
        self.max_objects = SpinBox(min=1, max=99999, value=defaults.max_objects)
        self.max_objects.tooltip = "Where there are more, a choice spread evenly"
        self.run = PushButton(text="Run")

    def _make_results(self) -> None:
        self.progress = QProgressBar()
        self.status = QLabel(HINT)
        self.status.setWordWrap(True)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.status.setMinimumHeight(3 * self.status.fontMetrics().height())
        self.curve = EvaluationCurve()
        self.cells = {name: QLabel() for name in CELLS}
        self.table = EvaluationTable()
        self.save = PushButton(text="Save report \u2026")
        self.save.tooltip = "A page with curves and cases, as the evaluate command's"

    def _lay_out(self) -> None:
        form = new_form()
        for label, widget in (
            ("Image", self.image.native),
            ("Truth", self.labels.native),
            ("Slices", self.axis.native),
            ("Every n-th", self.every),
            ("Min. area", self.min_area.native),
            ("Objects", self.max_objects.native),
            ("Clicks", self.clicks.native),
        ):
            form.addRow(label, widget)
        form.addRow(self.run.native)
        figures = QGridLayout()
        for index, cell in enumerate(self.cells.values()):
            cell.setAlignment(Qt.AlignmentFlag.AlignCenter)
            figures.addWidget(cell, index // 3, index % 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*PAGE_MARGINS)
        layout.addLayout(form)
        for part in (self.progress, self.status, self.curve):
            layout.addWidget(part)
        layout.addLayout(figures)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.save.native)

    def _connect(self) -> None:
        controller = self.controller
        controller.changed.connect(self._show_state)
        controller.began.connect(self.table.clear_rows)
        controller.measured.connect(self.table.insert)
        controller.message.connect(self._show_message)
        controller.failed.connect(self._show_failure)
        self.image.changed.connect(self.axis.reset_choices)
        self.run.changed.connect(self._run_or_cancel)
        self.table.chosen.connect(controller.show)
        self.save.changed.connect(self._ask_where_to_save)

    def _axis_choices(self, _: CategoricalWidget[Any]) -> list[tuple[str, int | None]]:
        ndim = 0 if self.image.value is None else self.image.value.ndim
        axes = range(ndim - 3, ndim) if ndim >= 3 else ()
        return [(DISPLAYED, None), *((f"along axis {axis}", axis) for axis in axes)]

    def _run_or_cancel(self) -> None:
        if self.controller.state.is_busy:
            self.controller.cancel()
            return
        image, labels = self.image.value, self.labels.value
        self.controller.run(image, labels, self._settings(), *self._model())

    def _settings(self) -> EvaluationSettings:
        return EvaluationSettings(
            max_clicks=self.clicks.value,
            axis=self.axis.value,
            every=self.every.value() or None,
            min_area=self.min_area.value,
            max_objects=self.max_objects.value,
        )

    def _ask_where_to_save(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the report")
        if folder:
            self.controller.save(Path(folder))

    def _show_message(self, message: str) -> None:
        self.status.setText(message)

    def _show_failure(self, message: str) -> None:
        self._show_message(message)
        show_error(message)

    def _show_state(self, state: EvaluationState) -> None:
        self.run.text = "Cancel" if state.is_busy else "Run"
        self.save.enabled = state.figures is not None and not state.is_busy
        self._show_progress(state.progress, state.is_busy)
        self._show_figures(state.figures)

    def _show_progress(self, progress: Progress, is_busy: bool) -> None:
        # A range without width shows that something goes on, not how far it is.
        self.progress.setRange(0, progress.all_clicks or (0 if is_busy else 1))
        self.progress.setValue(progress.clicks)
        left = progress.seconds_left
        time = f", {_duration(left)} left" if is_busy and left is not None else ""
        self.progress.setFormat(f"%p %{time}")

    def _show_figures(self, figures: Figures | None) -> None:
        self.curve.set_values(() if figures is None else figures.miou)
        for name, cell in self.cells.items():
            cell.setText(f"{name}<br><b>{_figure(name, figures)}</b>")
            cell.setToolTip(_meaning(name, figures))


def new_form() -> QFormLayout:
    """Make the layout of a page's form."""
    form = QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def _figure(name: str, figures: Figures | None) -> str:
    """Write one of `CELLS`; a dash where it is not measured."""
    what, _, at = name.partition("@")
    if figures is None or (what == "mIoU" and int(at) > len(figures.miou)):
        return "\u2013"
    if what == "mIoU":
        return f"{figures.miou[int(at) - 1]:.3f}"
    return f"{figures.noc[int(at) / 100]:.1f}"


def _meaning(name: str, figures: Figures | None) -> str:
    """Explain one of `CELLS`."""
    what, _, at = name.partition("@")
    if what == "mIoU":
        return f"Mean IoU after {at} click{'s' * (at != '1')}"
    text = f"Mean number of clicks to an IoU of {at} %"
    never = 0 if figures is None else figures.failures[int(at) / 100]
    if figures is None or not never:
        return text
    clicks = len(figures.miou)
    return f"{text}; {never} of {figures.n_objects} never, which count as {clicks}"


def _duration(seconds: float) -> str:
    """Write a time as people say it: 45 s, 3 min, 1 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
