"""EvaluationCurve: mean IoU after each click, drawn in the dock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtpy.QtCore import QEvent, QSize
    from qtpy.QtGui import QMouseEvent, QPaintEvent

LINE_COLOUR: Final = "#2ecc40"
_HEIGHT: Final = 125
_LEVELS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_FAINT: Final = 60  # of 255, the grid's opacity


class EvaluationCurve(QWidget):
    """A plot of mIoU@k over k; the number under the mouse is written beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._values: tuple[float, ...] = ()
        self._hovered: int | None = None
        self.setMinimumHeight(_HEIGHT)
        self.setMouseTracking(True)

    @property
    def values(self) -> tuple[float, ...]:
        """What is drawn: mIoU@1 .. mIoU@k, in [0, 1]."""
        return self._values

    @property
    def readout(self) -> str:
        """What is written for the click under the mouse; empty for none."""
        if self._hovered is None or self._hovered >= len(self._values):
            return ""
        return f"@{self._hovered + 1}: {self._values[self._hovered]:.3f}"

    def set_values(self, values: Iterable[float]) -> None:
        """Draw mIoU@1 .. mIoU@k; none clears the plot."""
        self._values = tuple(float(value) for value in values)
        self.update()

    def place(self, k: int) -> QPointF:
        """Where the point of click k, from 1, is drawn."""
        return self._point(k, self._values[k - 1])

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Find the click that is nearest to the mouse."""
        if event is None or not self._values:
            return
        area, count = self._area(), len(self._values)
        part = (event.position().x() - area.left()) / area.width()
        self._hovered = min(max(round(part * max(count - 1, 1)), 0), count - 1)
        self.update()

    def leaveEvent(self, event: QEvent | None) -> None:
        """Forget the mouse."""
        self._hovered = None
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw axes, curve and readout."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_axes(painter)
        if self._values:
            self._draw_curve(painter)
        painter.end()

    def _area(self) -> QRectF:
        """Where the curve is drawn, inside the axes."""
        line = self.fontMetrics().lineSpacing()
        left = self.fontMetrics().horizontalAdvance("0.75") + line + 6
        bottom = 2 * line + 4
        width, height = self.width() - left - line, self.height() - bottom - line / 2
        return QRectF(left, line / 2, max(width, 1), max(height, 1))

    def _point(self, k: int, value: float) -> QPointF:
        area, steps = self._area(), max(len(self._values) - 1, 1)
        x = area.left() + (k - 1) / steps * area.width()
        return QPointF(x, area.bottom() - value * area.height())

    def _draw_axes(self, painter: QPainter) -> None:
        area, line = self._area(), self.fontMetrics().lineSpacing()
        text = self.palette().color(self.foregroundRole())
        faint = QColor(text)
        faint.setAlpha(_FAINT)
        for level in _LEVELS:
            y = area.bottom() - level * area.height()
            painter.setPen(faint)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(text)
            box = QRectF(line, y - line / 2, area.left() - line - 4, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, f"{level:.2f}")
        for k in _ticks(len(self._values)):
            x = self._point(k, 0).x()
            box = QRectF(x - 20, area.bottom() + 2, 40, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, str(k))
        box = QRectF(area.left(), area.bottom() + line, area.width(), line + 4)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "clicks k")
        painter.translate(0, area.bottom())
        painter.rotate(-90)
        box = QRectF(0, 0, area.height(), line)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "mIoU@k")
        painter.resetTransform()

    def _draw_curve(self, painter: QPainter) -> None:
        places = [self.place(k) for k in range(1, len(self._values) + 1)]
        painter.setPen(QPen(QColor(LINE_COLOUR), 2))
        painter.drawPolyline(QPolygonF(places))
        painter.setBrush(QColor(LINE_COLOUR))
        for index, place in enumerate(places):
            size = 4.0 if index == self._hovered else 2.0
            painter.drawEllipse(place, size, size)
        if self.readout:
            painter.setPen(self.palette().color(self.foregroundRole()))
            corner = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
            painter.drawText(self._area().adjusted(0, 0, -4, -4), corner, self.readout)

    def sizeHint(self) -> QSize:
        """Ask for no more than is needed."""
        return self.minimumSize()


def _ticks(count: int) -> list[int]:
    """Clicks that are numbered: 1, every fifth, and the last."""
    if count <= 6:
        return list(range(1, count + 1))
    return sorted({1, *range(5, count - 2, 5), count})
