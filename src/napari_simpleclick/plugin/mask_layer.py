"""The mask layer: Labels over an image, written slice by slice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels

from napari_simpleclick.inference.volume import put_object
from napari_simpleclick.io.volume import SOURCE_KEY
from napari_simpleclick.plugin.image_layer import (
    displayed_plane,
    image_shape,
    transforms,
)

if TYPE_CHECKING:
    from napari.components import Dims
    from numpy.typing import NDArray

    from napari_simpleclick.inference.plane import Plane
    from napari_simpleclick.inference.session import Target
    from napari_simpleclick.types import Roi

MASK_NAME = "SimpleClick"


def new_mask_layer(image: Image) -> Labels:
    """Make an empty Labels layer over an image; it keeps the image's metadata.

    Raises
    ------
    ValueError
        If the masks do not fit into memory.
    """
    return Labels(
        _no_masks(image),
        name=MASK_NAME,
        metadata=dict(image.metadata),
        **transforms(image),
    )


def _no_masks(image: Image) -> NDArray[np.uint16]:
    shape = image_shape(image)
    try:
        return np.zeros(shape, np.uint16)
    except (MemoryError, ValueError) as error:  # numpy's largest array is an address
        size = math.prod(shape) * np.uint16().itemsize / 2**30
        raise ValueError(
            f"The masks of image {image.name!r} would take {size:,.0f} GiB, more than "
            "there is memory: crop the image, or open a smaller level of its pyramid, "
            "then press Start again."
        ) from error


def check_mask_layer(labels: Labels, image: Image) -> None:
    """Refuse a Labels layer that cannot take masks of an image.

    Raises
    ------
    ValueError
        If it has another shape, several resolutions, or cannot be written to.
    """
    name, shape = labels.name, image_shape(image)
    if labels.multiscale:
        raise ValueError(
            f"Labels layer {name!r} has several resolutions: choose one with a single "
            "resolution, or a new layer."
        )
    if tuple(labels.data.shape) != shape:
        raise ValueError(
            f"Labels layer {name!r} has shape {labels.data.shape}, image "
            f"{image.name!r} has {shape}: choose a layer of the same shape."
        )
    flags = getattr(labels.data, "flags", None)
    if not hasattr(labels.data, "__setitem__") or not getattr(flags, "writeable", True):
        raise ValueError(
            f"Labels layer {name!r} cannot be changed: its data are read-only. "
            "Duplicate the layer, or choose a new one."
        )


def lend_grid(labels: Labels, image: Image) -> None:
    """Let a layer that is laid over an image be saved on the grid of its file, too."""
    if SOURCE_KEY in image.metadata:
        labels.metadata[SOURCE_KEY] = image.metadata[SOURCE_KEY]


def check_label(labels: Labels, object_id: int) -> None:
    """Refuse a label that a layer's data type cannot hold.

    Raises
    ------
    ValueError
        If the label is too high.
    """
    highest = np.iinfo(labels.data.dtype).max
    if object_id > highest:
        raise ValueError(
            f"Labels layer {labels.name!r} holds labels up to {highest} "
            f"({labels.data.dtype}), so there is no object {object_id}: use its "
            "context menu to convert the data type, then press Start again."
        )


def object_mask(labels: Labels, target: Target) -> NDArray[np.bool_]:
    """Return the pixels of an object on a slice of a Labels layer: (H, W), bool."""
    pixels = np.asarray(labels.data[target.plane.index])
    mask: NDArray[np.bool_] = pixels == target.object_id
    return mask


def write_mask(
    labels: Labels, target: Target, mask: NDArray[np.bool_], box: Roi
) -> bool:
    """Make an object in a box of a slice of a Labels layer equal to a mask.

    Pixels of other objects stay theirs. napari's own undo history is not touched, and
    nothing is drawn, see `show_part`.

    Parameters
    ----------
    labels : Labels
        The layer.
    target : Target
        Object and slice.
    mask : ndarray
        (h, w), bool: the object in the box.
    box : Roi
        Part of the slice.

    Returns
    -------
    bool
        Whether a pixel changed.

    Raises
    ------
    ValueError
        If the layer's data type cannot hold the object's label.
    """
    index = target.plane.part(box)
    if isinstance(labels.data, np.ndarray):
        return put_object(labels.data[index], target.object_id, mask)
    pixels = np.array(labels.data[index])
    is_changed = put_object(pixels, target.object_id, mask)
    if is_changed:
        labels.data[index] = pixels
    return is_changed


def show_part(labels: Labels, dims: Dims, plane: Plane, box: Roi) -> None:
    """Draw a part of a Labels layer anew, after its data were written to.

    Only the box goes to the graphics card, as for napari's brush, if the slice is the
    one on display and its labels are drawn as they are; like with the brush, the
    thumbnail is drawn later. Otherwise the whole slice is drawn anew, unless nothing of
    what was written to is on display.

    Parameters
    ----------
    labels : Labels
        The layer.
    dims : Dims
        The viewer's: which slice is displayed.
    plane : Plane
        The slice that was written to.
    box : Roi
        The part of it that was written to.
    """
    shown = displayed_plane(labels, dims)
    if shown is not None and shown != plane and shown.axes == plane.axes:
        return
    is_drawn_as_it_is = (
        isinstance(labels.data, np.ndarray)
        and labels.data.dtype in (np.uint8, np.uint16)
        and labels.contour == 0
        and labels.visible
        and labels.loaded
    )
    if not is_drawn_as_it_is or shown != plane:
        labels.refresh(extent=False)
        return
    part, offset = labels.data[plane.part(box)], (box.row_min, box.col_min)
    if dims.displayed[-2] > dims.displayed[-1]:
        part, offset = part.T, offset[::-1]
    labels.events.labels_update(data=part, offset=list(offset))
