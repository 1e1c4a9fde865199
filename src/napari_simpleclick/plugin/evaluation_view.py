"""EvaluationView: an evaluated object in the viewer, with clicks and mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from scipy import ndimage

from napari_simpleclick.inference.session import PlacedClick, Target
from napari_simpleclick.plugin.camera import camera_of
from napari_simpleclick.plugin.click_layer import new_clicks_layer, write_clicks
from napari_simpleclick.plugin.image_layer import image_shape, show_plane, transforms

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer, Points
    from numpy.typing import NDArray

    from napari_simpleclick.inference.plane import Plane
    from napari_simpleclick.plugin.evaluation_state import MeasuredObject

CLICKS_NAME: Final = "evaluation clicks"
MASK_NAME: Final = "evaluation mask"
INSIDE: Final = 1
EDGE: Final = 2
CYAN: Final = (0.0, 0.9, 1.0)
_EDGES: Final = 400  # widths of an edge along the longer side of a slice


class EvaluationView:
    """Two layers of its own, made when they are first needed.

    Parameters
    ----------
    viewer : ViewerModel
        The napari viewer.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._points: Points | None = None
        self._mask: Labels | None = None
        self._painted: Plane | None = None

    def __contains__(self, layer: Layer) -> bool:
        return layer in (self._points, self._mask)

    def show(self, image: Image, measured: MeasuredObject) -> None:
        """Go to an object's slice; show the robot's clicks and the last mask.

        Raises
        ------
        ValueError
            If the image has left the viewer, or has no such slice any more.
        """
        plane = measured.found.plane
        if image not in self._viewer.layers:
            raise ValueError(f"Image {image.name!r} is no longer in the viewer.")
        shape = image_shape(image)
        has_it = plane.fits(shape)
        if not has_it or tuple(shape[axis] for axis in plane.axes) != measured.shape:
            raise ValueError(
                f"Image {image.name!r} has no slice {plane} any more: press Run again."
            )
        go_to(self._viewer, image, plane)
        self._paint(image, measured)
        self._place_clicks(image, measured)
        bring_into_sight(self._viewer, image, measured)

    def _paint(self, image: Image, measured: MeasuredObject) -> None:
        if self._mask is None or self._is_stale(self._mask, image):
            self._mask, self._painted = _new_mask_layer(image), None
            self._add(self._mask)
        mask, plane = self._mask, measured.found.plane
        if self._painted is not None:
            mask.data[self._painted.index] = 0
        mask.data[plane.index] = outlined(measured.mask)
        self._painted = plane
        _lay_over(mask, image)
        mask.refresh(extent=False)

    def _place_clicks(self, image: Image, measured: MeasuredObject) -> None:
        if self._points is None or self._is_stale(self._points, image):
            self._points = new_clicks_layer(image)
            self._points.name = CLICKS_NAME
            self._add(self._points)
        target = Target(measured.found.label, measured.found.plane)
        clicks = [PlacedClick(click, target) for click in measured.result.clicks]
        self._points.editable = True
        write_clicks(self._points, clicks)
        self._points.selected_data = set()
        self._points.editable = False
        _lay_over(self._points, image)

    def _is_stale(self, layer: Layer, image: Image) -> bool:
        """Say whether a layer cannot be used again; if it is there, take it out."""
        if layer not in self._viewer.layers:
            return True
        fits = layer.ndim == image.ndim and (
            layer is self._points or layer.data.shape == image_shape(image)
        )
        if not fits:
            self._viewer.layers.remove(layer)
        return not fits

    def _add(self, layer: Layer) -> None:
        """Add a layer on top, and leave the user's selection as it is."""
        selected = self._viewer.layers.selection.active
        self._viewer.add_layer(layer)
        layer.editable = False
        if selected is not None:
            self._viewer.layers.selection.active = selected


def go_to(viewer: ViewerModel, image: Image, plane: Plane) -> None:
    """Display a slice of an image, along whatever axes it lies."""
    dims = viewer.dims
    dims.ndisplay = 2
    missing = dims.ndim - image.ndim
    axes = [axis + missing for axis in plane.axes]
    if set(axes) != set(dims.displayed):
        dims.order = (*(axis for axis in dims.order if axis not in axes), *axes)
        viewer.reset_view()
    show_plane(image, dims, plane)


def bring_into_sight(
    viewer: ViewerModel, image: Image, measured: MeasuredObject
) -> None:
    """Centre the view on an object, unless all of it is on the canvas already."""
    plane, clicks = measured.found.plane, measured.result.clicks
    inside = [(click.row, click.col) for click in clicks if click.is_positive]
    pixels = np.vstack([np.array(inside).reshape(-1, 2), np.argwhere(measured.mask)])
    if not len(pixels):
        return
    ends = np.array([plane.lift(*pixels.min(0)), plane.lift(*pixels.max(0))])
    seen = image.corner_pixels * image.downsample_factors[image.data_level]
    axes = list(plane.axes)
    low, high = seen[:, axes]
    if (ends[:, axes] >= low).all() and (ends[:, axes] <= high).all():
        return
    shown = [axis - viewer.dims.ndim for axis in viewer.dims.displayed]
    centre = np.array(image.data_to_world(ends.mean(0)))[shown]
    camera = camera_of(viewer)
    camera.center = (camera.center[0], *centre)


def _new_mask_layer(image: Image) -> Labels:
    clear = (0.0, 0.0, 0.0, 0.0)
    colours = {None: clear, 0: clear, INSIDE: (*CYAN, 0.2), EDGE: (*CYAN, 1.0)}
    return Labels(
        np.zeros(image_shape(image), np.uint8),
        name=MASK_NAME,
        colormap=DirectLabelColormap(color_dict=colours),
        opacity=1,
        **transforms(image),
    )


def outlined(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Mark a mask, (H, W), bool, by `INSIDE` and its border by `EDGE`.

    The ground truth shows through; napari's own outlines, unlike these, warn in the 3D
    view.
    """
    width = max(1, round(max(mask.shape) / _EDGES))
    inner = ndimage.binary_erosion(mask, iterations=width)
    marked: NDArray[np.uint8] = np.where(inner, INSIDE, EDGE * mask).astype(np.uint8)
    return marked


def _lay_over(layer: Layer, image: Image) -> None:
    for name, value in transforms(image).items():
        setattr(layer, name, value)
    layer.visible = True
