"""EvaluationTable: the evaluated objects, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget
from qtpy.QtWidgets import QTableWidgetItem as Item

if TYPE_CHECKING:
    from qtpy.QtCore import QSize

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
        self.itemSelectionChanged.connect(self._choose)
        self.cellClicked.connect(self._choose)

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

    def _choose(self) -> None:
        rows = {index.row() for index in self.selectedIndexes()}
        if rows:
            self.chosen.emit(rows.pop())
