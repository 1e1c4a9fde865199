"""Tasks run in order in a thread; answers come back to the main thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from napari_simpleclick.plugin.worker import QtRunner


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[QtRunner]:
    made = QtRunner()
    yield made
    made.close()


def test_tasks_run_in_order_elsewhere_and_report_here(
    runner: QtRunner, qtbot: QtBot
) -> None:
    ran: list[str] = []
    reported: list[tuple[int, str]] = []

    def task(number: int) -> int:
        ran.append(threading.current_thread().name)
        return number

    def done(number: int) -> None:
        reported.append((number, threading.current_thread().name))

    def failed(error: BaseException) -> None:
        raise error

    for number in range(5):
        runner.submit(lambda n=number: task(n), done, failed)
    qtbot.waitUntil(lambda: len(reported) == 5)
    assert reported == [(n, threading.main_thread().name) for n in range(5)]
    assert set(ran) == {"simpleclick_0"}


def test_errors_are_reported_as_such(runner: QtRunner, qtbot: QtBot) -> None:
    errors: list[str] = []

    def fail() -> None:
        raise RuntimeError("out of memory")

    runner.submit(fail, lambda _: None, lambda error: errors.append(str(error)))
    qtbot.waitUntil(lambda: bool(errors))
    assert errors == ["out of memory"]


def test_a_closed_runner_reports_nothing(runner: QtRunner, qtbot: QtBot) -> None:
    started, go_on = threading.Event(), threading.Event()
    reported: list[object] = []

    def wait() -> None:
        started.set()
        go_on.wait(10)

    for _ in range(3):
        runner.submit(wait, reported.append, reported.append)
    assert started.wait(10)
    runner.close()
    go_on.set()
    qtbot.wait(100)
    assert not reported


def test_news_of_a_task_come_here_in_order_before_its_answer(
    runner: QtRunner, qtbot: QtBot
) -> None:
    heard: list[tuple[str, str]] = []

    def hear(what: str) -> None:
        heard.append((what, threading.current_thread().name))

    def task() -> str:
        for number in range(3):
            runner.report(lambda n=number: hear(str(n)))
        return "answer"

    def failed(error: BaseException) -> None:
        raise error

    runner.submit(task, hear, failed)
    qtbot.waitUntil(lambda: len(heard) == 4)
    here = threading.main_thread().name
    assert heard == [("0", here), ("1", here), ("2", here), ("answer", here)]


def test_a_closed_runner_passes_no_news_on(runner: QtRunner, qtbot: QtBot) -> None:
    heard: list[str] = []
    runner.report(lambda: heard.append("on its way"))
    runner.close()
    runner.report(lambda: heard.append("too late"))
    qtbot.wait(50)
    assert not heard
