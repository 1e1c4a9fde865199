"""BusyBar: moves while something is computed that takes long enough to be noticed."""

from __future__ import annotations

from typing import Final

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QProgressBar

DELAY_MS: Final = 300
"""Shorter work shows nothing: a flicker at every click would draw the eye from the
image."""


class BusyBar(QProgressBar):
    """A thin bar without a number; its place stays free while it is not shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, 0)
        self.setTextVisible(False)
        self.setFixedHeight(6)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.hide()
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(DELAY_MS)
        self._delay.timeout.connect(self.show)

    def set_busy(self, is_busy: bool) -> None:
        """Say whether something is being computed."""
        if not is_busy:
            self._delay.stop()
            self.hide()
        elif self.isHidden() and not self._delay.isActive():
            self._delay.start()
