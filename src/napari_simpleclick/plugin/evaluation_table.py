"""EvaluationTable: the evaluated objects, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QSignalBlocker, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget
from qtpy.QtWidgets import QTableWidgetItem as Item

if TYPE_CHECKING:
    from qtpy.QtCore import QSize
    from qtpy.QtGui import QMouseEvent

    from napari_simpleclick.plugin.evaluation_state import MeasuredObject

COLUMNS: Final = ("Slice", "Label", "IoU", "to 90 %")
TARGET: Final = 0.9


class EvaluationTable(QTableWidget):
    """One row an object; choosing a row, by mouse or by keys, emits its number.

    Attributes
    ----------
    chosen : Signal
        Emits the number of a row, 0 for the worst object.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setHorizontalHeaderLabels(COLUMNS)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._set_headers()
        self._pressed_on: int | None = None
        self.itemSelectionChanged.connect(self._choose)
        self.cellClicked.connect(self._choose_again)

    def _set_headers(self) -> None:
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is None or columns is None:
            return
        line = self.fontMetrics().height()
        rows.setVisible(False)
        rows.setDefaultSectionSize(line + 8)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        columns.setMinimumSectionSize(20)
        columns.setToolTip(
            f"IoU: after the last click; to {TARGET:.0%}: clicks to an IoU of {TARGET}"
        )
        self.setMinimumHeight(4 * (line + 8) + 12)

    def sizeHint(self) -> QSize:
        """Ask for no more than is needed; a taller dock gives more."""
        return self.minimumSize()

    def clear_rows(self) -> None:
        """Drop all objects."""
        self.setRowCount(0)

    def insert(self, row: int, measured: MeasuredObject) -> None:
        """Put an object where it belongs; a chosen row stays chosen."""
        # Qt tells of a selection that moves down, but as if it had not moved yet.
        with QSignalBlocker(self):
            self.insertRow(row)
        clicks = measured.clicks_to(TARGET)
        texts = (
            measured.found.slice_name or "\u2013",
            str(measured.found.label),
            f"{measured.iou:.3f}",
            f"> {len(measured.result.ious)}" if clicks is None else str(clicks),
        )
        for column, text in enumerate(texts):
            item = Item(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            self.setItem(row, column, item)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Remember what was chosen: a click on that is no change of the selection."""
        self._pressed_on = self._chosen_row()
        super().mousePressEvent(event)

    def _chosen_row(self) -> int | None:
        return next((index.row() for index in self.selectedIndexes()), None)

    def _choose(self) -> None:
        row = self._chosen_row()
        if row is not None:
            self.chosen.emit(row)

    def _choose_again(self, row: int) -> None:
        if row == self._pressed_on:
            self.chosen.emit(row)
