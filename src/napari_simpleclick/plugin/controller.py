"""SegmentationController: from a click in the viewer to a mask in a Labels layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from psygnal import Signal

from napari_simpleclick.plugin.click_layer import new_clicks_layer
from napari_simpleclick.plugin.free_label import free_label
from napari_simpleclick.plugin.image_layer import image_shape
from napari_simpleclick.plugin.layer_watch import LayerWatch
from napari_simpleclick.plugin.mask_layer import (
    check_mask_layer,
    lend_grid,
    new_mask_layer,
)
from napari_simpleclick.plugin.prediction_queue import PredictionQueue
from napari_simpleclick.plugin.segmentation import Segmentation
from napari_simpleclick.plugin.state import Sign, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.components import ViewerModel
    from napari.layers import Image, Labels

    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.inference.session import PlacedClick, Request, Target
    from napari_simpleclick.plugin.shared_predictor import SharedPredictor
    from napari_simpleclick.plugin.worker import Runner

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
    layers_changed : Signal
        Emits when the viewer has other layers, or other names of them.
    message : Signal
        Emits a sentence for the user.
    failed : Signal
        Emits a sentence about something that went wrong.
    """

    changed = Signal(State)
    layers_changed = Signal()
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
        self._masks: WeakKeyDictionary[Image, ref[Labels]] = WeakKeyDictionary()
        self._described = ""
        self._threshold = 0.49
        self._sign: Sign = "+"
        self._told = State()
        for event, callback in self._heard():
            event.connect(callback)

    @property
    def labels(self) -> Labels | None:
        """The layer that masks are written to; None before start and after stop."""
        return None if self._run is None else self._run.labels

    def masks_of(self, image: Image | None) -> Labels | None:
        """Return the layer that an image's masks went to last; None if none is left."""
        known = None if image is None else self._masks.get(image)
        masks = None if known is None else known()
        is_left = masks is not None and masks in self._viewer.layers
        return masks if is_left else None

    @property
    def predictor(self) -> SharedPredictor | None:
        """The model in use, None before one is loaded."""
        return self._queue.predictor

    @property
    def state(self) -> State:
        """What a dock shows now."""
        is_busy = self._queue.is_busy
        if self._run is None:
            return State(is_busy=is_busy, sign=self._sign, threshold=self._threshold)
        session, target = self._run.session, self._run.target
        return State(
            is_running=True,
            is_busy=is_busy,
            sign=self._sign,
            object_id=session.object_id,
            threshold=self._run.threshold,
            click_count=0 if target is None else len(session.clicks_of(target)),
            can_undo=session.can_undo,
            can_redo=session.can_redo,
        )

    def load_model(
        self,
        load: Callable[[], ClickPredictor],
        name: str,
        ended: Callable[[bool], None] | None = None,
    ) -> None:
        """Load a model in the background; clicks made meanwhile wait for it.

        Parameters
        ----------
        load : callable
            Returns the predictor; called in the runner's thread.
        name : str
            What messages call it.
        ended : callable, optional
            Called with whether the model is used now; if it cannot be, the one before
            stays in use.
        """
        self._queue.load(load, name, lambda is_loaded: self._use(is_loaded, ended))

    def start(self, image: Image, labels: Labels | None = None) -> None:
        """Begin to segment an image; if that is refused, all stays as it was.

        Parameters
        ----------
        image : Image
            Shown by the viewer; it is never changed.
        labels : Labels, optional
            A layer to continue, of the image's shape; a new one by default. New
            objects get labels that it does not hold. The layer in use, with its image,
            goes on where it is.

        Raises
        ------
        ValueError
            If the image has no slices or no pixels, or if the Labels layer cannot take
            masks of it, or has no free label.
        """
        if image.ndim < 2:
            raise ValueError(f"Image {image.name!r} has no slices: it is a line.")
        if 0 in image_shape(image):  # napari cannot show masks of it
            raise ValueError(f"Image {image.name!r} has no pixels.")
        if labels is not None:
            check_mask_layer(labels, image)
            run = self._run
            if run is not None and run.image is image and run.labels is labels:
                self._invite()
                return
            lend_grid(labels, image)
        masks = new_mask_layer(image) if labels is None else labels
        first = 1 if labels is None else free_label(labels)
        points = new_clicks_layer(image)
        if self._run is not None:
            self._run.points.visible = False
        self.stop()
        if labels is None:
            self._viewer.add_layer(masks)
        self._viewer.add_layer(points)
        dims = self._viewer.dims
        run = Segmentation(
            image, points, masks, dims, first, self._sign, self._threshold
        )
        run.changed.connect(self._on_clicks)
        run.pressed.connect(self._queue.foresee)
        run.message.connect(self.message)
        run.ended.connect(self.stop)
        keys = {key: getattr(self, name) for name, key in ACTION_KEYS.items()}
        self._run, self._watch = run, LayerWatch(image, points, masks, run, keys)
        self._watch.connect()
        self._masks[image] = ref(masks)
        run.image_drawn.connect(self._queue.forget_slice)
        self._queue.serve(run)
        self._notify()
        self._invite()

    def stop(self) -> None:
        """End the segmentation; its layers stay as they are."""
        if self._run is not None and self._run.points in self._viewer.layers:
            self._run.points.mode = "pan_zoom"  # clicks there would come to nothing
        self._let_go()

    def close(self) -> None:
        """Let go of the viewer, of the runner, and of all who listen.

        Nothing is drawn: there may be no window any more.
        """
        for signal in (self.changed, self.layers_changed, self.message, self.failed):
            signal.disconnect()
        self._let_go()
        for event, callback in self._heard():
            event.disconnect(callback)
        self._queue.close()

    def toggle_sign(self) -> None:
        """Make the next clicks negative if they were positive, else positive."""
        self.set_sign("-" if self._sign == "+" else "+")

    def set_sign(self, sign: Sign) -> None:
        """Choose the sign of the next clicks."""
        self._sign = sign
        if self._run is not None:
            self._run.sign = sign
        self._notify()

    def set_threshold(self, threshold: float) -> None:
        """Choose the probability, in [0, 1], above which a pixel is in the mask.

        It holds for the current object, and for those that are begun from now on.
        """
        self._threshold = threshold
        if self._run is not None:
            self._run.set_threshold(threshold)

    def set_object(self, object_id: int) -> None:
        """Go to an object by its label, at least 1."""
        if self._run is None:
            return
        try:
            self._run.set_object(object_id)
        except ValueError as error:
            self.failed.emit(str(error))
            self.changed.emit(self.state)

    def next_object(self) -> None:
        """Go on to a new object, with a label that neither clicks nor layer hold."""
        if self._run is None:
            return
        try:
            label = self._run.next_label()
        except ValueError as error:
            self.failed.emit(str(error))
            return
        self.set_object(label)
        if self._run.session.object_id == label:
            self.message.emit(f"Object {label}: click inside it.")

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
        if self._run is not None and (target := self._run.target) is not None:
            self._run.follow(self._run.session.reset(target.plane))
            self.message.emit(self._run.describe(target))

    def place_clicks(self, clicks: Sequence[PlacedClick]) -> None:
        """Make these the clicks, as one edit, and compute their masks."""
        if self._run is not None:
            self._run.follow(self._run.session.replace(clicks))

    def _let_go(self) -> None:
        if self._watch is not None:
            self._watch.disconnect()
        self._watch = self._run = None
        self._described = ""
        self._queue.serve(None)
        self._notify()

    def _invite(self) -> None:
        """Make the next click on the image one of the segmentation's."""
        if self._run is not None:
            self._run.points.visible = True
            self._viewer.layers.selection.active = self._run.points
            self._run.points.mode = "add"
            self.message.emit(f"Click inside a structure of {self._run.image.name!r}.")

    def _use(self, is_loaded: bool, ended: Callable[[bool], None] | None) -> None:
        if is_loaded and self._run is not None:
            self._run.invalidate()
        if ended is not None:
            ended(is_loaded)
        self._queue.answer()

    def _after_travel(self, targets: Sequence[Target], otherwise: str) -> None:
        if self._run is None or not targets:
            self.message.emit(otherwise)
            return
        self._run.follow(targets)
        self._run.show(targets[-1].plane)
        self.message.emit(self._run.describe(targets[-1]))

    def _on_clicks(self) -> None:
        self._tell_place()
        is_without = self.predictor is None and not self._queue.is_busy
        if is_without and self._run is not None and self._run.session.clicks:
            self.message.emit("The clicks wait for a model: choose one above.")
        self._queue.answer()
        self._notify()

    def _on_answer(self, request: Request) -> None:
        if self._run is not None:
            self.message.emit(self._run.describe(request.target))
        self._notify()

    def _on_dims(self) -> None:
        if self._run is not None:
            self._run.hide_other_clicks()
            self._tell_place()
            self._notify()

    def _tell_place(self) -> None:
        """Tell of the current object on the displayed slice, if that has changed.

        Until the first click, it is told what to do.
        """
        if self._run is None or (target := self._run.target) is None:
            return
        told = self._run.describe(target)
        if told != self._described and (self._described or self._run.session.clicks):
            self._described = told
            self.message.emit(told)

    def _heard(self) -> list[tuple[Any, Callable[..., None]]]:
        layers = self._viewer.layers.events
        return [
            (self._viewer.dims.events, self._on_dims),
            (layers.removed, self._on_layer_removed),
            (layers, self._on_layers),
        ]

    def _on_layers(self, event: Any) -> None:
        if event.type in ("inserted", "removed", "name"):
            self.layers_changed.emit()

    def _on_layer_removed(self, event: Any) -> None:
        if self._watch is not None and event.value in self._watch:
            self.message.emit(
                f"Layer {event.value.name!r} was removed: segmentation ended."
            )
            self.stop()

    def _notify(self) -> None:
        """Emit the state where it is another: sliders call this all the time."""
        state = self.state
        if state != self._told:
            self._told = state
            self.changed.emit(state)
