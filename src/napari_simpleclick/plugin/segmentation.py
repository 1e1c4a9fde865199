"""Segmentation: an image, its clicks and its masks, kept in line with one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_simpleclick.inference.session import ClickSession, Target
from napari_simpleclick.plugin import click_layer, image_layer, mask_layer
from napari_simpleclick.plugin.free_label import free_label
from napari_simpleclick.plugin.mask_painter import MaskPainter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari.components import Dims
    from napari.layers import Image, Labels, Points

    from napari_simpleclick.inference.plane import Plane
    from napari_simpleclick.inference.session import PlacedClick, Request
    from napari_simpleclick.plugin.state import Sign
    from napari_simpleclick.types import Prediction

INVERTING_MODIFIER = "Shift"
INVERTING_BUTTON = 2  # the right one


class Segmentation:
    """One segmentation of one image, from its start to its end.

    It hears what happens to its layers (see `LayerWatch`), and it is what a
    `PredictionQueue` serves.

    Parameters
    ----------
    image, points, labels : layer
        What is segmented, the clicks, the masks; they lie over each other.
    dims : Dims
        The viewer's: which slice is displayed.
    object_id : int
        Label of the first object, which the masks' data type can hold.
    sign : {"+", "-"}
        Sign of the next click.
    threshold : float
        In [0, 1]; the probability above which a pixel is in a mask, for new objects.

    Attributes
    ----------
    session : ClickSession
        The clicks; `follow` wants the targets that an edit of them returns.
    changed : Signal
        Emits when the clicks or the object changed; there may be masks to compute.
    image_drawn : Signal
        Emits when the image is drawn anew; its pixels may have changed in place.
    pressed : Signal
        Emits the click that begins when a mouse button goes down.
    message : Signal
        Emits a sentence for the user.
    ended : Signal
        Emits when the layers no longer fit each other.
    """

    changed = Signal()
    image_drawn = Signal()
    pressed = Signal(object)
    message = Signal(str)
    ended = Signal()

    def __init__(
        self,
        image: Image,
        points: Points,
        labels: Labels,
        dims: Dims,
        object_id: int,
        sign: Sign,
        threshold: float,
    ) -> None:
        self.image, self.points, self.labels = image, points, labels
        self.sign = sign
        self._new_threshold = threshold
        self._thresholds: dict[int, float] = {}  # by object, once it has a mask
        self.session = ClickSession(object_id)
        self._highest = object_id
        self._dims = dims
        self._painter = MaskPainter(labels, self.session, dims)
        self._abandoned: dict[Target, None] = {}
        self._is_inverted = False
        self._is_writing = False
        labels.selected_label = self.session.object_id

    @property
    def threshold(self) -> float:
        """The threshold of the current object."""
        return self._thresholds.get(self.session.object_id, self._new_threshold)

    @property
    def plane(self) -> Plane | None:
        """The slice of the image that is displayed, None if there is none."""
        return image_layer.displayed_plane(self.image, self._dims)

    @property
    def target(self) -> Target | None:
        """The current object on the displayed slice."""
        plane = self.plane
        return None if plane is None else Target(self.session.object_id, plane)

    def describe(self, target: Target) -> str:
        """Say how many clicks a target has."""
        count = len(self.session.clicks_of(target))
        clicks = {0: "no clicks", 1: "1 click"}.get(count, f"{count} clicks")
        here = "this slice" if target == self.target else f"slice {target.plane}"
        return f"Object {target.object_id}: {clicks} on {here}."

    def next_label(self) -> int:
        """Return a label that neither clicks nor layer hold, nor the current object.

        A lazy layer was read for it when this began, and is not again: it takes long.

        Raises
        ------
        ValueError
            If the Labels layer can hold no other.
        """
        used = {target.object_id for target in self.session.targets()}
        is_read = not isinstance(self.labels.data, np.ndarray)
        known = self._highest if is_read else None
        return free_label(self.labels, used | {self.session.object_id}, known)

    def follow(self, targets: Iterable[Target]) -> None:
        """Bring points and masks in line with the session's clicks.

        What takes longest comes first: a model begins with the masks, and meanwhile
        the points are written.
        """
        targets = tuple(targets)
        for target in targets:
            self._painter.adopt(target)
        self._painter.leave(targets)
        self.changed.emit()
        self._is_writing = True
        try:
            click_layer.write_clicks(self.points, self.session.clicks)
        finally:
            self._is_writing = False
        self.hide_other_clicks()
        if len(targets) > 1:
            for target in targets:
                self._painter.release(target, self._threshold_of(target))
        for target in targets:
            self._painter.paint(target, self._threshold_of(target))
        self.labels.selected_label = self.session.object_id

    def set_object(self, object_id: int) -> None:
        """Go to an object by its label.

        Raises
        ------
        ValueError
            If the label is below 1, or the Labels layer cannot hold it.
        """
        mask_layer.check_label(self.labels, object_id)
        self.session.object_id = object_id
        self._highest = max(self._highest, object_id)
        self.labels.selected_label = object_id
        self.changed.emit()

    def set_threshold(self, threshold: float) -> None:
        """Paint the current object anew on all its slices, and new ones like it."""
        current = self.session.object_id
        self._new_threshold = self._thresholds[current] = threshold
        self._painter.forget()
        targets = [t for t in self.session.targets() if t.object_id == current]
        self.session.ask(targets)
        self.follow(targets)

    def hide_other_clicks(self) -> None:
        """Show those clicks alone that were made along the displayed axes."""
        plane = self.plane
        if plane is not None:
            click_layer.show_clicks_of(self.points, self.session.clicks, plane.axes)

    def show(self, plane: Plane) -> None:
        """Move the sliders to a slice, if it lies along the displayed axes."""
        now = self.plane
        if now is not None and now.axes == plane.axes:
            image_layer.show_plane(self.image, self._dims, plane)

    def next_request(self) -> tuple[Request, image_layer.RawSlice] | None:
        """Return what a model is to answer next, and the slice that it is about."""
        return self._with_slice(self.session.next_request())

    def foresee(
        self, placed: PlacedClick
    ) -> tuple[Request, image_layer.RawSlice] | None:
        """Return what will be next once a click that has begun is made."""
        return self._with_slice(self.session.foresee(placed))

    def receive(self, request: Request, prediction: Prediction) -> bool:
        """Paint the answer to a request; return whether it was still wanted."""
        self._painter.adopt(request.target)
        is_wanted = self.session.commit(request, prediction)
        if is_wanted:
            threshold = self._threshold_of(request.target)
            self._painter.paint(request.target, threshold, is_partial=True)
        return is_wanted

    def abandon(self, request: Request) -> bool:
        """Go on without the answer to a request; return whether it was still wanted."""
        self._painter.adopt(request.target)
        is_wanted = self.session.abandon(request)
        if is_wanted:
            self._abandoned[request.target] = None
        return is_wanted

    def resume(self) -> None:
        """Ask for what was abandoned: another model may answer it."""
        self.session.ask(self._abandoned)
        self._abandoned.clear()

    def invalidate(self) -> None:
        """Forget the model's answers, as it or the image changed; keep the rest."""
        self.session.invalidate()
        self._painter.forget()

    def on_points(self, event: Any) -> None:
        """Follow points that the user added, moved or deleted.

        napari announces every edit twice; only the second time it has happened.
        """
        action = event.action.value
        if self._is_writing or action not in ("added", "removed", "changed"):
            return
        if action == "added":
            clicks = self._clicks(self.session.clicks, len(event.data_indices))
        else:
            clicks = self._clicks()
        is_outside = len(clicks) < len(self.points.data)
        if is_outside:
            self.message.emit(image_layer.obstacle(self.image, self._dims))
        if is_outside and action == "changed":
            clicks = list(self.session.clicks)
        self.follow(self.session.replace(clicks))

    def on_selection(self) -> None:
        """Follow points that the user pasted: napari announces them as selected."""
        if not self._is_writing and len(self.points.data) > len(self.session.clicks):
            self.follow(self.session.replace(self._clicks(self.session.clicks)))

    def on_press(self, layer: Points, event: Any) -> None:
        """Remember whether modifier or button invert the click that begins now.

        napari places the point when the button is let go, if the mouse has not moved.
        """
        self._is_inverted = (
            INVERTING_MODIFIER in event.modifiers or event.button == INVERTING_BUTTON
        )
        if layer.mode == "add":
            placed = self._placed(layer.world_to_data(event.position))
            if placed is not None:
                self.pressed.emit(placed)

    def on_image_data(self) -> None:
        """Compute new masks from new data, from the next click on."""
        self.on_mask_data()
        self.invalidate()

    def on_image_drawn(self) -> None:
        """Read the slice again for the next click."""
        self.image_drawn.emit()

    def on_mask_data(self) -> None:
        """End if the masks do not fit the image, or an object not the masks, now."""
        shape = image_layer.image_shape(self.image)
        try:
            mask_layer.check_label(self.labels, self._highest)
        except ValueError as error:
            self.message.emit(str(error))
            self.ended.emit()
            return
        if tuple(self.labels.data.shape) != shape:
            self.message.emit("Image and masks differ in shape now: press Start again.")
            self.ended.emit()

    def on_label(self) -> None:
        """Go to the object whose label was selected in the Labels layer."""
        label = int(self.labels.selected_label)
        if label > 0 and label != self.session.object_id:
            self.set_object(label)

    def _threshold_of(self, target: Target) -> float:
        return self._thresholds.setdefault(target.object_id, self._new_threshold)

    def _clicks(
        self, known: Sequence[PlacedClick] = (), new_count: int = 0
    ) -> list[PlacedClick]:
        """Return what the points on a pixel mean; the first of them may be known.

        All others are read from the layer, but for those that were added last.
        """
        shape, data = image_layer.image_shape(self.image), self.points.data
        first_new = max(len(data) - new_count, len(known))
        old = range(len(known), first_new)
        read = click_layer.read_clicks(
            self.points, [i for i in old if click_layer.is_inside(data[i], shape)]
        )
        return [*known, *read, *self._new(range(first_new, len(data)))]

    def _new(self, indices: Sequence[int]) -> list[PlacedClick]:
        """Return what new points mean, those that lie on a pixel on display."""
        placed = [self._placed(self.points.data[i]) for i in indices]
        self._is_inverted = False
        return [click for click in placed if click is not None]

    def _placed(self, point: Sequence[float]) -> PlacedClick | None:
        """Return what a point means that is placed now; None if no pixel is there."""
        target, shape = self.target, image_layer.image_shape(self.image)
        if target is None or not click_layer.is_inside(point, shape):
            return None
        is_positive = (self.sign == "+") != self._is_inverted
        return click_layer.placed(point, target, is_positive=is_positive)

    def _with_slice(
        self, request: Request | None
    ) -> tuple[Request, image_layer.RawSlice] | None:
        if request is None:
            return None
        return request, image_layer.raw_slice(self.image, request.target.plane)
