"""TallPage: a page that scrolls where the window is too low for it."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget


class TallPage(QScrollArea):
    """Shows a widget, as wide as that needs to be, and of any height.

    Parameters
    ----------
    page : QWidget
        What is shown.
    """

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def minimumSizeHint(self) -> QSize:
        """Ask for the page's width, and for no height; for nothing until it is seen.

        What was never on the screen has no style yet, and other fonts.
        """
        page, bar = self.widget(), self.verticalScrollBar()
        if page is None or not page.isVisible():
            return QSize(0, 0)
        beside = bar.width() if bar is not None and bar.isVisible() else 0
        return QSize(page.minimumSizeHint().width() + beside, 0)

    def sizeHint(self) -> QSize:
        """Ask for as much width as the page would like."""
        page, hint = self.widget(), super().sizeHint()
        if page is not None:
            hint.setWidth(max(hint.width(), page.sizeHint().width()))
        return hint
