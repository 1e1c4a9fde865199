"""The bar is shown for long work, and for that alone."""

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_simpleclick.plugin.busy_bar import DELAY_MS, BusyBar


@pytest.fixture
def bar(qtbot: QtBot) -> BusyBar:
    page = QWidget()
    qtbot.addWidget(page)
    bar = BusyBar()
    QVBoxLayout(page).addWidget(bar)
    page.show()
    bar.page = page  # type: ignore[attr-defined]
    return bar


def test_it_is_shown_while_work_goes_on(bar: BusyBar, qtbot: QtBot) -> None:
    bar.set_busy(True)
    assert bar.isHidden()
    qtbot.waitUntil(bar.isVisible)
    bar.set_busy(True)
    assert bar.isVisible()
    bar.set_busy(False)
    assert bar.isHidden()


def test_short_work_is_not_shown(bar: BusyBar, qtbot: QtBot) -> None:
    bar.set_busy(True)
    bar.set_busy(False)
    qtbot.wait(2 * DELAY_MS)
    assert bar.isHidden()


def test_its_place_stays_free(bar: BusyBar, qtbot: QtBot) -> None:
    height = bar.page.sizeHint().height()  # type: ignore[attr-defined]
    bar.set_busy(True)
    qtbot.waitUntil(bar.isVisible)
    assert bar.page.sizeHint().height() == height  # type: ignore[attr-defined]
