"""LabelBox: the label of an object, to see and to type."""

from __future__ import annotations

from typing import Final

from qtpy.QtCore import QRegularExpression, QSignalBlocker
from qtpy.QtGui import QRegularExpressionValidator
from qtpy.QtWidgets import QSizePolicy
from superqt import QLargeIntSpinBox

HIGHEST: Final = 2**64 - 1


class LabelBox:
    """Shows a label, from 1 to what 64 bits hold; Qt's own box ends at 2**31 - 1.

    What is typed counts from Enter on, or when the box loses the focus.

    Attributes
    ----------
    native : QLargeIntSpinBox
        The box; its `valueChanged` emits what was typed.
    """

    def __init__(self) -> None:
        self.native = QLargeIntSpinBox()
        self.native.setRange(1, HIGHEST)
        self.native.setKeyboardTracking(False)  # else it takes the canvas' focus
        digits = QRegularExpression("[0-9]*")
        if (line := self.native.lineEdit()) is not None:
            line.setValidator(QRegularExpressionValidator(digits, self.native))
            line.textChanged.connect(self.native.setToolTip)  # shows it whole
        # A long number must not widen the dock.
        self.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show(self, label: int) -> None:
        """Show a label and emit nothing; what is being typed stays if it is shown."""
        if label != self.native.value():
            with QSignalBlocker(self.native):
                self.native.setValue(label)
