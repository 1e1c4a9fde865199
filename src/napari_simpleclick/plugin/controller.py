"""SegmentationController: from a click in the viewer to a mask in a Labels layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_simpleclick.inference.session import ClickSession, PlacedClick, Target
from napari_simpleclick.plugin import image_layer, mask_layer
from napari_simpleclick.plugin.click_layer import (
    is_inside,
    label_last,
    new_clicks_layer,
    read_clicks,
    show_clicks_of,
    write_clicks,
)
from napari_simpleclick.plugin.layer_watch import LayerWatch
from napari_simpleclick.plugin.prediction_queue import PredictionQueue, SlicePredictor
from napari_simpleclick.plugin.state import Sign, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Points

    from napari_simpleclick.inference.plane import Plane
    from napari_simpleclick.plugin.worker import Runner

INVERTING_MODIFIER = "Shift"
ACTION_KEYS = {
    "toggle_sign": "T",
    "next_object": "N",
    "undo": "U",
    "redo": "Shift-U",
    "reset": "R",
}


class SegmentationController:
    """Turns clicks on an image into masks, with a model that runs elsewhere.

    Parameters
    ----------
    viewer : ViewerModel
        The napari viewer.
    runner : Runner
        Runs the model outside the viewer's thread.

    Attributes
    ----------
    changed : Signal
        Emits the new `State`.
    message : Signal
        Emits a sentence for the user.
    failed : Signal
        Emits a sentence about something that went wrong.
    """

    changed = Signal(State)
    message = Signal(str)
    failed = Signal(str)

    def __init__(self, viewer: ViewerModel, runner: Runner) -> None:
        self._viewer = viewer
        self._queue = PredictionQueue(
            runner, self._notify, self.message.emit, self.failed.emit
        )
        self._watch: LayerWatch | None = None
        self._session = ClickSession()
        self._threshold = 0.49
        self._sign: Sign = "+"
        self._is_inverted = False
        self._is_writing = False
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.dims.events.connect(self._on_dims)

    @property
    def state(self) -> State:
        """What a dock shows now."""
        target = self._current_target()
        return State(
            is_running=self._watch is not None,
            has_model=self._queue.has_model,
            is_busy=self._queue.is_busy,
            sign=self._sign,
            object_id=self._session.object_id,
            click_count=0 if target is None else len(self._session.clicks_of(target)),
            can_undo=self._session.can_undo,
            can_redo=self._session.can_redo,
        )

    def load_model(self, load: Callable[[], SlicePredictor], name: str) -> None:
        """Load a model in the background; clicks made meanwhile wait for it.

        Parameters
        ----------
        load : callable
            Returns the predictor; called in the runner's thread.
        name : str
            What messages call it.
        """
        self._queue.load(load, name, self._use_model)

    def start(self, image: Image, labels: Labels | None = None) -> None:
        """Begin to segment an image.

        Parameters
        ----------
        image : Image
            Shown by the viewer; it is never changed.
        labels : Labels, optional
            A layer to continue, of the image's shape; a new one by default. New
            objects get labels that it does not hold.

        Raises
        ------
        ValueError
            If the layers do not fit each other.
        """
        shape = image_layer.image_shape(image)
        if labels is not None and tuple(labels.data.shape) != shape:
            raise ValueError(
                f"Labels layer {labels.name!r} has shape {labels.data.shape}, image "
                f"{image.name!r} has {shape}: choose a layer of the same shape."
            )
        self.stop()
        highest = 0 if labels is None else mask_layer.highest_label(labels)
        if labels is None:
            labels = self._viewer.add_layer(mask_layer.new_mask_layer(image))
        points = self._viewer.add_layer(new_clicks_layer(image))
        keys = {key: getattr(self, name) for name, key in ACTION_KEYS.items()}
        self._watch = LayerWatch(image, points, labels, self, keys)
        self._watch.connect()
        self._session = ClickSession(highest + 1)
        self._select_label()
        self._viewer.layers.selection.active = points
        points.mode = "add"
        self.message.emit(f"Click inside a structure of {image.name!r}.")

    def stop(self) -> None:
        """End the segmentation; its layers stay as they are."""
        if self._watch is not None:
            self._watch.disconnect()
        self._watch = None
        self._session = ClickSession()
        self._notify()

    def close(self) -> None:
        """Let go of the viewer and of the runner."""
        self.stop()
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        self._viewer.dims.events.disconnect(self._on_dims)
        self._queue.close()

    def toggle_sign(self) -> None:
        """Make the next clicks negative if they were positive, else positive."""
        self.set_sign("-" if self._sign == "+" else "+")

    def set_sign(self, sign: Sign) -> None:
        """Choose the sign of the next clicks."""
        self._sign = sign
        self._notify()

    def set_threshold(self, threshold: float) -> None:
        """Choose the probability, in [0, 1], above which a pixel is in the mask."""
        self._threshold = threshold
        current = self._session.object_id
        self._paint(t for t in self._session.targets() if t.object_id == current)

    def set_object(self, object_id: int) -> None:
        """Go to an object by its label, at least 1."""
        self._session.object_id = object_id
        self._select_label()

    def next_object(self) -> None:
        """Go on to a new object, with a label that neither clicks nor layer hold."""
        if self._watch is None:
            return
        highest = mask_layer.highest_label(self._watch.labels)
        self._session.object_id = max(self._session.object_id, highest)
        self.message.emit(f"Object {self._session.next_object()}: click inside it.")
        self._select_label()

    def undo(self) -> None:
        """Take the last edit of the clicks back."""
        self._after_travel(self._session.undo(), "Nothing to undo.")

    def redo(self) -> None:
        """Repeat the last undone edit of the clicks."""
        self._after_travel(self._session.redo(), "Nothing to redo.")

    def reset(self) -> None:
        """Delete the current object's clicks on the displayed slice."""
        target = self._current_target()
        if target is not None:
            self._session.reset(target.plane)
            self._follow_clicks([target])

    def place_clicks(self, clicks: Sequence[PlacedClick]) -> None:
        """Make these the clicks, as one edit, and compute their masks."""
        before = set(self._session.clicks)
        self._session.replace(clicks)
        self._follow_clicks({c.target for c in before ^ set(clicks)})

    def on_points(self, event: Any) -> None:
        """Follow points that the user added, moved or deleted.

        napari announces every edit twice; only the second time it has happened.
        """
        action = event.action.value
        if self._is_writing or action not in ("added", "removed", "changed"):
            return
        if self._watch is None:
            return
        points = self._watch.points
        if action == "added":
            self._label_new(points, len(event.data_indices))
        shape = image_layer.image_shape(self._watch.image)
        clicks = [c for c in read_clicks(points) if is_inside(c, shape)]
        if len(clicks) < len(points.data):
            self.message.emit("Click inside the image, in 2D view.")
        for target in {c.target for c in set(self._session.clicks) ^ set(clicks)}:
            mask_layer.adopt_strokes(
                self._watch.labels, self._session, target, self._threshold
            )
        self.place_clicks(clicks)

    def on_press(self, layer: Points, event: Any) -> None:
        """Remember whether the modifier inverts the click that begins now."""
        self._is_inverted = INVERTING_MODIFIER in event.modifiers

    def on_image_data(self) -> None:
        """Compute new masks from new data; stop if they have another shape."""
        if self._watch is None:
            return
        shape = image_layer.image_shape(self._watch.image)
        if tuple(self._watch.labels.data.shape) == shape:
            self._session.invalidate()
        else:
            self.message.emit("The image has another shape now: press Start again.")
            self.stop()

    def _use_model(self) -> None:
        self._session.invalidate()
        self._answer()

    def _label_new(self, points: Points, count: int) -> None:
        """Fill in the features of the points that were added last."""
        plane = self._plane()
        is_positive = (self._sign == "+") != self._is_inverted
        self._is_inverted = False
        label_last(points, count, self._session.object_id, is_positive, plane)

    def _after_travel(self, targets: Sequence[Target], otherwise: str) -> None:
        if not targets:
            self.message.emit(otherwise)
            return
        self._show(targets[-1].plane)
        self._follow_clicks(targets)
        self._select_label()

    def _show(self, plane: Plane) -> None:
        """Move the sliders to a slice, if it lies along the displayed axes."""
        now = self._plane()
        if self._watch is not None and now is not None and now.axes == plane.axes:
            image_layer.show_plane(self._watch.image, self._viewer.dims, plane)

    def _follow_clicks(self, targets: Iterable[Target]) -> None:
        """Bring points and masks in line with the session's clicks."""
        if self._watch is None:
            return
        self._is_writing = True
        try:
            write_clicks(self._watch.points, self._session.clicks)
        finally:
            self._is_writing = False
        self._hide_other_clicks()
        self._paint(targets)
        self._answer()

    def _paint(self, targets: Iterable[Target]) -> None:
        if self._watch is None:
            return
        mask_layer.paint(self._watch.labels, self._session, targets, self._threshold)
        self._notify()

    def _answer(self) -> None:
        watch = self._watch
        if watch is None:
            return
        self._queue.answer(
            self._session,
            lambda target: image_layer.raw_slice(watch.image, target.plane),
            self._on_answer,
        )

    def _on_answer(self, target: Target) -> None:
        self._paint([target])
        count = len(self._session.clicks_of(target))
        clicks = "1 click" if count == 1 else f"{count} clicks"
        self.message.emit(f"Object {target.object_id}: {clicks} on this slice.")

    def _select_label(self) -> None:
        if self._watch is not None:
            self._watch.labels.selected_label = self._session.object_id
        self._notify()

    def _plane(self) -> Plane | None:
        if self._watch is None:
            return None
        return image_layer.displayed_plane(self._watch.image, self._viewer.dims)

    def _current_target(self) -> Target | None:
        plane = self._plane()
        return None if plane is None else Target(self._session.object_id, plane)

    def _hide_other_clicks(self) -> None:
        plane = self._plane()
        if self._watch is not None and plane is not None:
            show_clicks_of(self._watch.points, self._session.clicks, plane.axes)

    def _on_dims(self) -> None:
        self._hide_other_clicks()
        self._notify()

    def _on_layer_removed(self, event: Any) -> None:
        if self._watch is not None and event.value in self._watch:
            self.message.emit(
                f"Layer {event.value.name!r} was removed: segmentation ended."
            )
            self.stop()

    def _notify(self) -> None:
        self.changed.emit(self.state)
