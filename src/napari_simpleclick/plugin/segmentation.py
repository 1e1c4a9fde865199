"""Segmentation: an image, its clicks and its masks, kept in line with one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_simpleclick.inference.session import ClickSession, Target
from napari_simpleclick.plugin import click_layer, image_layer, mask_layer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.components import Dims
    from napari.layers import Image, Labels, Points

    from napari_simpleclick.inference.plane import Plane
    from napari_simpleclick.inference.session import PlacedClick, Request
    from napari_simpleclick.types import Prediction


class Segmentation:
    """One segmentation of one image, from its start to its end.

    Parameters
    ----------
    image, points, labels : layer
        What is segmented, the clicks, the masks; they lie over each other.
    dims : Dims
        The viewer's: which slice is displayed.
    threshold : float
        In [0, 1]; the probability above which a pixel is in the mask.

    Attributes
    ----------
    session : ClickSession
        The clicks; to be changed through the methods that return targets, which
        `follow` wants.
    is_writing : bool
        Whether the points change because the session did.
    """

    def __init__(
        self,
        image: Image,
        points: Points,
        labels: Labels,
        dims: Dims,
        threshold: float,
    ) -> None:
        self.image, self.points, self.labels = image, points, labels
        self.threshold = threshold
        self.is_writing = False
        self.session = ClickSession(mask_layer.highest_label(labels) + 1)
        self._dims = dims
        self._painter = mask_layer.MaskPainter(labels, self.session)

    @property
    def plane(self) -> Plane | None:
        """The slice of the image that is displayed, None if there is none."""
        return image_layer.displayed_plane(self.image, self._dims)

    @property
    def target(self) -> Target | None:
        """The current object on the displayed slice."""
        plane = self.plane
        return None if plane is None else Target(self.session.object_id, plane)

    @property
    def obstacle(self) -> str:
        """Why a click found no pixel, as a sentence."""
        if self._dims.ndisplay != 2:
            return "Clicks need the 2D view: leave the 3D view first (Ctrl+Y)."
        if self.plane is None:
            return f"No slice of image {self.image.name!r} is on display here."
        return f"Click inside image {self.image.name!r}."

    def fits(self) -> bool:
        """Say whether image and masks still have the same shape."""
        shape = image_layer.image_shape(self.image)
        return tuple(self.labels.data.shape) == shape

    def next_label(self) -> int:
        """Return a label that neither clicks nor layer hold, above the current one.

        Raises
        ------
        ValueError
            If the layer's data type holds no such label.
        """
        used = {target.object_id for target in self.session.targets()}
        highest = max(used | {mask_layer.highest_label(self.labels)})
        label = max(highest, self.session.object_id) + 1
        mask_layer.check_label(self.labels, label)
        return label

    def label_new_points(self, count: int, is_positive: bool) -> None:
        """Say of the points that were added last whose they are, and their sign."""
        self.is_writing = True
        click_layer.label_last(
            self.points, count, self.session.object_id, is_positive, self.plane
        )
        self.is_writing = False

    def read_points(self) -> tuple[list[PlacedClick], bool]:
        """Return the clicks that lie on the image, and whether others do not."""
        shape = image_layer.image_shape(self.image)
        clicks = click_layer.read_clicks(self.points)
        inside = [c for c in clicks if click_layer.is_inside(c, shape)]
        return inside, len(inside) < len(self.points.data)

    def follow(self, targets: Iterable[Target]) -> None:
        """Bring points and masks in line with the session's clicks."""
        self.is_writing = True
        try:
            click_layer.write_clicks(self.points, self.session.clicks)
        finally:
            self.is_writing = False
        self.hide_other_clicks()
        for target in targets:
            self._painter.adopt(target)
            self._painter.paint(target, self.threshold)

    def set_threshold(self, threshold: float) -> None:
        """Paint the current object anew on all its slices."""
        self.threshold = threshold
        current = self.session.object_id
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
        request = self.session.next_request()
        if request is None:
            return None
        return request, image_layer.raw_slice(self.image, request.target.plane)

    def receive(self, request: Request, prediction: Prediction) -> bool:
        """Paint the answer to a request; return whether it was still wanted."""
        self._painter.adopt(request.target)
        is_wanted = self.session.commit(request, prediction)
        if is_wanted:
            self._painter.paint(request.target, self.threshold, is_partial=True)
        return is_wanted

    def abandon(self, request: Request) -> None:
        """Go on without the answer to a request."""
        self.session.abandon(request.target)
