"""SegmentationController: from a click in the viewer to a mask in a Labels layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_simpleclick.plugin.click_layer import new_clicks_layer
from napari_simpleclick.plugin.layer_watch import LayerWatch
from napari_simpleclick.plugin.mask_layer import (
    check_label,
    check_mask_layer,
    new_mask_layer,
)
from napari_simpleclick.plugin.prediction_queue import PredictionQueue, SlicePredictor
from napari_simpleclick.plugin.segmentation import Segmentation
from napari_simpleclick.plugin.state import Sign, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Points

    from napari_simpleclick.inference.session import PlacedClick, Request, Target
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
            runner,
            on_change=self._notify,
            on_message=self.message.emit,
            on_failure=self.failed.emit,
            on_answer=self._on_answer,
        )
        self._run: Segmentation | None = None
        self._watch: LayerWatch | None = None
        self._threshold = 0.49
        self._sign: Sign = "+"
        self._is_inverted = False
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.dims.events.connect(self._on_dims)

    @property
    def labels(self) -> Labels | None:
        """The layer that masks are written to; None before start and after stop."""
        return None if self._run is None else self._run.labels

    @property
    def state(self) -> State:
        """What a dock shows now."""
        queue = {"has_model": self._queue.has_model, "is_busy": self._queue.is_busy}
        if self._run is None:
            return State(sign=self._sign, **queue)
        session, target = self._run.session, self._run.target
        return State(
            is_running=True,
            sign=self._sign,
            object_id=session.object_id,
            click_count=0 if target is None else len(session.clicks_of(target)),
            can_undo=session.can_undo,
            can_redo=session.can_redo,
            **queue,
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
            If the Labels layer cannot take masks of the image.
        """
        if image.ndim < 2:
            raise ValueError(f"Image {image.name!r} has no slices: it is a line.")
        if labels is not None:
            check_mask_layer(labels, image)
        self.stop()
        if labels is None:
            labels = self._viewer.add_layer(new_mask_layer(image))
        points = self._viewer.add_layer(new_clicks_layer(image))
        self._run = Segmentation(
            image, points, labels, self._viewer.dims, self._threshold
        )
        keys = {key: getattr(self, name) for name, key in ACTION_KEYS.items()}
        self._watch = LayerWatch(image, points, labels, self, keys)
        self._watch.connect()
        self._queue.serve(self._run)
        self._viewer.layers.selection.active = points
        points.mode = "add"
        self._select_label()
        self.message.emit(f"Click inside a structure of {image.name!r}.")

    def stop(self) -> None:
        """End the segmentation; its layers stay as they are."""
        if self._watch is not None:
            self._watch.disconnect()
        self._watch = self._run = None
        self._queue.serve(None)
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
        if self._run is not None:
            self._run.set_threshold(threshold)
            self._queue.answer()

    def set_object(self, object_id: int) -> None:
        """Go to an object by its label, at least 1."""
        if self._run is None:
            return
        try:
            check_label(self._run.labels, object_id)
        except ValueError as error:
            self.failed.emit(str(error))
        else:
            self._run.session.object_id = object_id
        self._select_label()

    def next_object(self) -> None:
        """Go on to a new object, with a label that neither clicks nor layer hold."""
        if self._run is None:
            return
        try:
            label = self._run.next_label()
        except ValueError as error:
            self.failed.emit(str(error))
            return
        self.message.emit(f"Object {label}: click inside it.")
        self.set_object(label)

    def undo(self) -> None:
        """Take the last edit of the clicks back."""
        if self._run is not None:
            self._after_travel(self._run.session.undo(), "Nothing to undo.")

    def redo(self) -> None:
        """Repeat the last undone edit of the clicks."""
        if self._run is not None:
            self._after_travel(self._run.session.redo(), "Nothing to redo.")

    def reset(self) -> None:
        """Delete the current object's clicks on the displayed slice."""
        if self._run is not None and (plane := self._run.plane) is not None:
            self._follow(self._run.session.reset(plane))

    def place_clicks(self, clicks: Sequence[PlacedClick]) -> None:
        """Make these the clicks, as one edit, and compute their masks."""
        if self._run is not None:
            self._follow(self._run.session.replace(clicks))

    def on_points(self, event: Any) -> None:
        """Follow points that the user added, moved or deleted.

        napari announces every edit twice; only the second time it has happened.
        """
        run, action = self._run, event.action.value
        if run is None or run.is_writing:
            return
        if action not in ("added", "removed", "changed"):
            return
        if action == "added":
            is_positive = (self._sign == "+") != self._is_inverted
            run.label_new_points(len(event.data_indices), is_positive)
            self._is_inverted = False
        clicks, is_outside = run.read_points()
        if is_outside:
            self.message.emit(run.obstacle)
        if is_outside and action == "changed":
            clicks = list(run.session.clicks)
        self.place_clicks(clicks)

    def on_press(self, layer: Points, event: Any) -> None:
        """Remember whether the modifier inverts the click that begins now."""
        self._is_inverted = INVERTING_MODIFIER in event.modifiers

    def on_image_data(self) -> None:
        """Compute new masks from new data, from the next click on."""
        if self._run is not None and self._stays_in_shape():
            self._run.session.invalidate()

    def on_mask_data(self) -> None:
        """End the segmentation if the masks have another shape now."""
        self._stays_in_shape()

    def on_label(self) -> None:
        """Go to the object whose label was selected in the Labels layer."""
        if self._run is not None and self._run.labels.selected_label > 0:
            self._run.session.object_id = int(self._run.labels.selected_label)
            self._notify()

    def _stays_in_shape(self) -> bool:
        if self._run is None or self._run.fits():
            return True
        self.message.emit("Image and masks differ in shape now: press Start again.")
        self.stop()
        return False

    def _use_model(self) -> None:
        if self._run is not None:
            self._run.session.invalidate()
        self._queue.answer()

    def _after_travel(self, targets: Sequence[Target], otherwise: str) -> None:
        if self._run is None or not targets:
            self.message.emit(otherwise)
            return
        self._follow(targets)
        self._run.show(targets[-1].plane)
        self._tell(targets[-1])
        self._select_label()

    def _follow(self, targets: Iterable[Target]) -> None:
        if self._run is not None:
            self._run.follow(targets)
            self._notify()
            self._queue.answer()

    def _on_answer(self, request: Request) -> None:
        self._tell(request.target)
        self._notify()

    def _tell(self, target: Target) -> None:
        """Say how many clicks a target has."""
        if self._run is None:
            return
        count = len(self._run.session.clicks_of(target))
        clicks = {0: "no clicks", 1: "1 click"}.get(count, f"{count} clicks")
        here = "this slice" if target == self._run.target else f"slice {target.plane}"
        self.message.emit(f"Object {target.object_id}: {clicks} on {here}.")

    def _select_label(self) -> None:
        if self._run is not None:
            self._run.labels.selected_label = self._run.session.object_id
        self._notify()

    def _on_dims(self) -> None:
        if self._run is not None:
            self._run.hide_other_clicks()
            self._notify()

    def _on_layer_removed(self, event: Any) -> None:
        if self._watch is not None and event.value in self._watch:
            self.message.emit(
                f"Layer {event.value.name!r} was removed: segmentation ended."
            )
            self.stop()

    def _notify(self) -> None:
        self.changed.emit(self.state)
