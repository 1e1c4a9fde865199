"""QtRunner: tasks run in order in one thread; answers come back to the main thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

from qtpy.QtCore import QObject, Qt, Signal  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

T = TypeVar("T")


def reason_of(error: BaseException) -> str:
    """Say what went wrong, even where an error says nothing."""
    return str(error) or type(error).__name__


class Runner(Protocol):
    """Runs tasks, one after the other, and reports in the caller's thread."""

    def submit(
        self,
        task: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run a task; call `done` with what it returns or `failed` with its error."""
        ...

    def report(self, news: Callable[[], None]) -> None:
        """Call this in the thread that answers come to; for a task to tell of itself.

        News are heard in their order, and before the answer of the task.
        """
        ...

    def close(self) -> None:
        """Drop the tasks that have not begun, and all reports."""
        ...


class QtRunner(QObject):
    """A `Runner` with a thread of its own, for use from Qt's main thread."""

    _reported = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="simpleclick")
        self._is_closed = False
        self._reported.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def submit(
        self,
        task: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run a task; call `done` with what it returns or `failed` with its error."""

        def answer() -> None:
            error = future.exception()
            if error is None:
                done(future.result())
            else:
                failed(error)

        def finished(ended: Future[T]) -> None:
            if not ended.cancelled():
                self.report(answer)

        future = self._pool.submit(task)
        future.add_done_callback(finished)

    def report(self, news: Callable[[], None]) -> None:
        """Call this in Qt's main thread; for a task to tell of itself."""
        if not self._is_closed:
            self._reported.emit(news)

    def close(self) -> None:
        """Drop the tasks that have not begun, and all reports."""
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _deliver(self, news: Callable[[], None]) -> None:
        if not self._is_closed:
            news()
