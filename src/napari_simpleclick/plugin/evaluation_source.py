"""From an image layer and a Labels layer to what an evaluation reads."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.plane import Plane
from napari_simpleclick.io.units import canonical_unit, convert_length, is_length
from napari_simpleclick.plugin.evaluation_objects import AnnotatedImage
from napari_simpleclick.plugin.image_layer import (
    full_resolution,
    image_shape,
    raw_slice,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from napari.components import Dims
    from napari.layers import Image, Labels


def annotated_image(
    image: Image, labels: Labels, dims: Dims, axis: int | None
) -> AnnotatedImage:
    """Take layers as they are now; nothing of their data is read yet.

    Parameters
    ----------
    image : Image
        What is segmented.
    labels : Labels
        Its ground truth, of the same shape.
    dims : Dims
        The viewer's.
    axis : int or None
        The axis that is sliced, one of the image's last three; None for slices as
        displayed.

    Raises
    ------
    ValueError
        If the shapes differ, or the image has no such slices.
    """
    shape, other = image_shape(image), image_shape(labels)
    if shape != other:
        raise ValueError(
            f"Labels layer {labels.name!r} has shape {other}, image {image.name!r} "
            f"has {shape}: choose a ground truth of the same shape."
        )
    planes = _planes(shape, _kept_axes(image, dims, axis))
    raw, size = raw_slice(image, planes[0]), _pixel_size(image, planes[0])
    return AnnotatedImage(image.name, raw, full_resolution(labels), planes, size)


def _kept_axes(image: Image, dims: Dims, axis: int | None) -> Collection[int]:
    """Rows and columns of the slices, as axes of the image."""
    if axis is not None:
        last = range(max(image.ndim - 3, 0), image.ndim)
        if axis not in last or len(last) < 3:
            raise ValueError(
                f"Image {image.name!r} cannot be sliced along axis {axis}: choose "
                "slices as displayed."
            )
        return set(last) - {axis}
    missing = dims.ndim - image.ndim
    axes = {shown - missing for shown in dims.order[-2:]}
    if min(axes) < 0:
        raise ValueError(
            f"Image {image.name!r} does not have the axes that are on display: roll "
            "the dimensions until it shows (Ctrl+E)."
        )
    return axes


def _planes(shape: Sequence[int], axes: Collection[int]) -> tuple[Plane, ...]:
    positions = product(
        *([None] if axis in axes else range(size) for axis, size in enumerate(shape))
    )
    return tuple(Plane(position) for position in positions)


def _pixel_size(image: Image, plane: Plane) -> tuple[float, float] | None:
    """Height and width of a pixel in millimetres, None where they are not known."""
    units = [canonical_unit(unit) for unit in image.units]
    lengths = [convert_length(1, u, "mm") if is_length(u) else np.nan for u in units]
    corner = np.array(image.data_to_world(plane.lift(0, 0)))
    sides = []
    for step in np.eye(2):
        side = np.array(image.data_to_world(plane.lift(*step))) - corner
        along = side != 0
        sides.append(float(np.linalg.norm(side[along] * np.array(lengths)[along])))
    return None if np.isnan(sides).any() else (sides[0], sides[1])
