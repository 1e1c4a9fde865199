"""How long a click takes in a real window, from the mouse press to the drawn mask."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_simpleclick.inference.loading import load_predictor
from napari_simpleclick.plugin.camera import camera_of
from napari_simpleclick.plugin.widget import SimpleClickWidget

try:
    from qtpy.QtOpenGLWidgets import QOpenGLWidget
except ImportError:  # of Qt 5
    from qtpy.QtWidgets import QOpenGLWidget  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_simpleclick.inference.predictor import ClickModel, Predictor
    from napari_simpleclick.types import Floats

MOUSE: Any = QTest  # its type stubs take its static methods for methods
CLICKS_AN_OBJECT = 4
PATIENCE = 120.0
PAUSE_MS = 30
"""Between clicks, as long as napari needs to come to rest."""


@dataclass(slots=True)
class _TimedModel:
    """A click model that counts the seconds it takes."""

    model: ClickModel
    seconds: float = 0.0

    def __call__(self, image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        begin = perf_counter()
        logits = self.model(image, prev_mask, points)
        self.seconds += perf_counter() - begin
        return logits


@dataclass(slots=True)
class _Times:
    """Milliseconds of every click."""

    painted: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        around = np.subtract(self.painted, self.network).tolist()
        named = {
            "painted": self.painted,
            "drawn": self.drawn,
            "network": self.network,
            "around_network": around,
        }
        return {
            f"{name}_{what}_ms": round(float(np.percentile(values, percent)), 2)
            for name, values in named.items()
            for what, percent in (("median", 50), ("p95", 95))
        }


def measure_window_click(
    size: int = 512,
    clicks: int = 20,
    load: Callable[[], Predictor] = load_predictor,
) -> dict[str, float]:
    """Click in a real napari window, and measure.

    A screen is needed, which may be a virtual one such as Xvfb. The window is opened
    and closed again.

    Parameters
    ----------
    size : int
        Side of the square image, uint8, in pixels.
    clicks : int
        How many clicks to measure, at least 1; four an object.
    load : callable, optional
        Returns the predictor; that of the bundled model by default.

    Returns
    -------
    dict
        ``painted_median_ms``, ``painted_p95_ms`` and so on. "painted": from the mouse
        press until the Labels layer holds the mask; "drawn": until the screen shows it;
        "network": the model's own share, both passes where it looks twice;
        "around_network": painted without network.

    Raises
    ------
    ValueError
        If there is no click to measure.
    TimeoutError
        If a mask does not come within two minutes.
    """
    if clicks < 1:
        raise ValueError(f"clicks: {clicks}, expected at least 1")
    viewer = napari.Viewer(title="benchmark", show=True)
    try:
        viewer.window.resize(1300, 850)
        window = _ClickedWindow(viewer, _textured(size))
        window.use(load)
        return window.measure(clicks).summary()
    finally:
        viewer.close()


class _ClickedWindow:
    def __init__(self, viewer: napari.Viewer, data: NDArray[np.uint8]) -> None:
        self._viewer = viewer
        self._image = viewer.add_image(data)
        self._dock = SimpleClickWidget(viewer)
        viewer.window.add_dock_widget(self._dock, name="SimpleClick")
        self._controller = self._dock.controller
        self._frames = 0
        self._wait(lambda: not self._controller.state.is_busy)

    def use(self, load: Callable[[], Predictor]) -> None:
        predictor = load()
        self._model = _TimedModel(predictor.model)
        timed = replace(predictor, model=self._model)
        self._controller.load_model(lambda: timed, "the measured model")
        self._wait(lambda: not self._controller.state.is_busy)

    def measure(self, clicks: int) -> _Times:
        self._controller.start(self._image)
        parent = self._dock.window()
        canvas = None if parent is None else parent.findChild(QOpenGLWidget)
        if canvas is None:
            raise RuntimeError("napari's window has no OpenGL canvas")
        self._canvas: QOpenGLWidget = canvas
        canvas.frameSwapped.connect(self._count_frame)
        times, random = _Times(), np.random.default_rng(0)
        self._click(np.full(2, 0.5), _Times())  # the first one warms up
        for number in range(clicks):
            if number % CLICKS_AN_OBJECT == 0:
                self._controller.next_object()
                centre = random.uniform(0.3, 0.7, 2)
            self._click(centre + random.uniform(-0.03, 0.03, 2), times)
        return times

    def _click(self, place: NDArray[np.float64], times: _Times) -> None:
        left, point = Qt.MouseButton.LeftButton, self._point(place)
        MOUSE.mouseMove(self._canvas, point)
        MOUSE.qWait(PAUSE_MS)
        self._model.seconds, target = 0.0, self._controller.state.click_count + 1
        begin = perf_counter()
        MOUSE.mousePress(self._canvas, left, Qt.KeyboardModifier.NoModifier, point)
        MOUSE.mouseRelease(self._canvas, left, Qt.KeyboardModifier.NoModifier, point)
        self._wait(lambda: not self._controller.state.is_busy)
        painted, frames = perf_counter(), self._frames
        self._canvas.update()  # a mask that is the same again draws nothing
        self._wait(lambda: self._frames > frames)
        if self._controller.state.click_count != target:
            raise RuntimeError("a click in the window placed no click")
        times.drawn.append(1e3 * (perf_counter() - begin))
        times.painted.append(1e3 * (painted - begin))
        times.network.append(1e3 * self._model.seconds)

    def _point(self, place: NDArray[np.float64]) -> QPoint:
        """Where on the canvas a place of the image is, in parts of its sides."""
        camera = camera_of(self._viewer)
        world = place * self._image.data.shape
        middle = np.array([self._canvas.height(), self._canvas.width()]) / 2
        row, col = (world - np.array(camera.center)[-2:]) * camera.zoom + middle
        return QPoint(round(col), round(row))

    def _count_frame(self) -> None:
        self._frames += 1

    def _wait(self, is_reached: Callable[[], bool]) -> None:
        # Waits as the viewer's own event loop does: one that asks all the time would
        # keep the interpreter from the thread that computes.
        more = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        begin, heartbeat = perf_counter(), QTimer()
        heartbeat.start(1)
        while not is_reached():
            QApplication.processEvents(more)
            if perf_counter() - begin > PATIENCE:
                raise TimeoutError(f"no answer within {PATIENCE:.0f} s")


def _textured(size: int) -> NDArray[np.uint8]:
    """Return bright blobs in noise, (size, size), uint8."""
    rows, cols = np.mgrid[:size, :size].astype(np.float32) * (40 / size)
    noise = np.random.default_rng(0).normal(128, 8, (size, size))
    image = noise + 80 * np.sin(rows) * np.sin(cols)
    return np.asarray(image.clip(0, 255), np.uint8)
