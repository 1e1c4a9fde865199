"""What the plugin reads from napari's layers and writes to them.

`new_clicks_layer` and `new_mask_layer` lie exactly over their image, so the data
coordinates of all three are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from napari.layers import Image, Labels, Points

from napari_simpleclick.inference.intensity import to_display
from napari_simpleclick.inference.plane import Plane
from napari_simpleclick.inference.session import PlacedClick, Target
from napari_simpleclick.types import Click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import Dims
    from numpy.typing import NDArray

Sign = Literal["+", "-"]

CLICKS_NAME = "clicks"
MASK_NAME = "SimpleClick"
COLOURS = {"+": "#2ecc40", "-": "#ff4136"}
SYMBOLS = {"+": "disc", "-": "x"}
TRANSFORMS = ("scale", "translate", "rotate", "shear", "affine", "units")


@dataclass(frozen=True, slots=True, eq=False)
class RawSlice:
    """A slice of an image layer, not yet read, and how the layer shows it.

    Parameters
    ----------
    data : array-like
        The whole image: ndarray, dask, zarr, ... ; only the slice is read.
    plane : Plane
        The slice.
    limits : tuple of float or None
        Contrast limits; None for colour.
    gamma : float
        Exponent of the grey levels.
    """

    data: Any
    plane: Plane
    limits: tuple[float, float] | None
    gamma: float

    def shows_same(self, other: RawSlice) -> bool:
        """Say whether another slice would read the same pixels."""
        return self.data is other.data and (self.plane, self.limits, self.gamma) == (
            other.plane,
            other.limits,
            other.gamma,
        )

    def read(self) -> NDArray[np.uint8]:
        """Return the slice as displayed: (H, W) or (H, W, 3), uint8."""
        pixels = np.asarray(self.data[self.plane.index])
        return to_display(pixels, self.limits, gamma=self.gamma)


def image_shape(image: Image) -> tuple[int, ...]:
    """Return the shape of an image layer at full resolution, without colour."""
    return tuple(_full_resolution(image).shape[: image.ndim])


def raw_slice(image: Image, plane: Plane) -> RawSlice:
    """Take a slice of an image layer together with how it is displayed now."""
    limits = None if image.rgb else (image.contrast_limits[0], image.contrast_limits[1])
    return RawSlice(_full_resolution(image), plane, limits, float(image.gamma))


def displayed_plane(image: Image, dims: Dims) -> Plane | None:
    """Return the slice of an image that the viewer shows.

    Parameters
    ----------
    image : Image
        An image with two axes or more.
    dims : Dims
        The viewer's; they may have more axes in front than the image.

    Returns
    -------
    Plane or None
        None in 3D view, where the image's axes are not displayed, or where the
        slider stands outside the image.
    """
    missing = dims.ndim - image.ndim
    axes = [axis - missing for axis in dims.displayed]
    if len(axes) != 2 or min(axes) < 0:
        return None
    point = image.world_to_data(dims.point[missing:])
    if any(round(p) < 0 for axis, p in enumerate(point) if axis not in axes):
        return None
    plane = Plane.through(point, axes)
    return plane if plane.fits(image_shape(image)) else None


def new_clicks_layer(image: Image) -> Points:
    """Make an empty Points layer over an image."""
    shape = image_shape(image)
    return Points(
        np.empty((0, image.ndim)),
        ndim=image.ndim,
        name=CLICKS_NAME,
        features={"object": [], "sign": [], "slice": [], "order": []},
        size=float(np.clip(max(shape[-2:]) / 60, 1.5, 40)),
        border_color="white",
        border_width=0.1,
        **_transforms(image),
    )


def new_mask_layer(image: Image) -> Labels:
    """Make an empty Labels layer over an image; it keeps the image's metadata."""
    return Labels(
        np.zeros(image_shape(image), dtype=np.uint16),
        name=MASK_NAME,
        metadata=dict(image.metadata),
        **_transforms(image),
    )


def follow_transforms(image: Image, layer: Points | Labels) -> None:
    """Lay a layer over its image again after the image was moved or scaled."""
    for name, value in _transforms(image).items():
        setattr(layer, name, value)


def read_clicks(points: Points) -> list[PlacedClick]:
    """Return the clicks of a layer made by `new_clicks_layer`, in order.

    The slice of a click is that of its coordinates, along the axes that its feature
    "slice" keeps. Points with an empty "slice" are on none and left out.

    Raises
    ------
    ValueError
        If the layer has other features, or a slice has another number of axes.
    """
    if missing := {"object", "sign", "slice"} - set(points.features):
        raise ValueError(f"layer {points.name!r} lacks the features {sorted(missing)}")
    columns = (points.features[name] for name in ("object", "sign", "slice"))
    return [
        _placed(point, int(object_id), sign, Plane.parse(where))
        for point, object_id, sign, where in zip(points.data, *columns, strict=True)
        if where
    ]


def write_clicks(points: Points, clicks: Sequence[PlacedClick]) -> None:
    """Make a Points layer show these clicks; only what differs is touched."""
    data = np.array([_coordinates(c) for c in clicks]).reshape(-1, points.ndim)
    if not np.array_equal(points.data, data):
        points.selected_data = set()
        points.data = data
    signs = [_sign(c) for c in clicks]
    points.features = {
        "object": [c.target.object_id for c in clicks],
        "sign": signs,
        "slice": [str(c.target.plane) for c in clicks],
        "order": list(range(1, len(clicks) + 1)),
    }
    if clicks:
        points.face_color = [COLOURS[sign] for sign in signs]
        points.symbol = [SYMBOLS[sign] for sign in signs]


def show_clicks_of(points: Points, clicks: Sequence[PlacedClick], axes: object) -> None:
    """Hide the clicks that were made on slices along other axes."""
    if clicks:
        points.shown = np.array([c.target.plane.axes == axes for c in clicks])


def label_last(
    points: Points, count: int, object_id: int, is_positive: bool, plane: Plane | None
) -> None:
    """Fill in the features of the last `count` points; no plane is an empty text."""
    features = points.features.astype(object)
    new = features.index[-count:]
    features.loc[new, "object"] = object_id
    features.loc[new, "sign"] = "+" if is_positive else "-"
    features.loc[new, "slice"] = "" if plane is None else str(plane)
    points.features = features


def is_inside(placed: PlacedClick, shape: Sequence[int]) -> bool:
    """Say whether a click lies on a pixel of an image of this shape."""
    plane, click = placed.target.plane, placed.click
    if not plane.fits(shape):
        return False
    height, width = (shape[axis] for axis in plane.axes)
    return -0.5 <= click.row < height - 0.5 and -0.5 <= click.col < width - 0.5


def show_plane(image: Image, dims: Dims, plane: Plane) -> None:
    """Move the viewer's sliders to a slice of an image."""
    missing = dims.ndim - image.ndim
    world = image.data_to_world(plane.lift(0, 0))
    for axis, index in enumerate(plane.position):
        if index is not None:
            dims.set_point(axis + missing, world[axis])


def highest_label(labels: Labels) -> int:
    """Return the highest label in a layer, 0 where there is none."""
    return int(np.max(labels.data))


def object_mask(labels: Labels, target: Target) -> NDArray[np.bool_]:
    """Return the pixels of an object on a slice of a Labels layer: (H, W), bool."""
    pixels = np.asarray(labels.data[target.plane.index])
    mask: NDArray[np.bool_] = pixels == target.object_id
    return mask


def other_mask(labels: Labels, target: Target) -> NDArray[np.bool_]:
    """Return the pixels of all other objects on a slice: (H, W), bool."""
    pixels = np.asarray(labels.data[target.plane.index])
    mask: NDArray[np.bool_] = (pixels != target.object_id) & (pixels != 0)
    return mask


def clear_mask(labels: Labels, target: Target) -> bool:
    """Take an object off a slice; return whether a pixel changed."""
    return write_mask(labels, target, np.zeros_like(object_mask(labels, target)))


def write_mask(labels: Labels, target: Target, mask: NDArray[np.bool_]) -> bool:
    """Make an object on a slice of a Labels layer equal to a mask.

    Pixels of other objects stay theirs. napari's own undo history is not touched.

    Parameters
    ----------
    labels : Labels
        The layer.
    target : Target
        Object and slice.
    mask : ndarray
        (H, W), bool.

    Returns
    -------
    bool
        Whether a pixel changed.

    Raises
    ------
    ValueError
        If the layer's data type cannot hold the object's label.
    """
    largest = np.iinfo(labels.data.dtype).max
    if target.object_id > largest:
        raise ValueError(
            f"object {target.object_id} does not fit the layer {labels.name!r}, whose "
            f"data type {labels.data.dtype} ends at {largest}"
        )
    before = np.asarray(labels.data[target.plane.index])
    own = before == target.object_id
    after = np.where(own & ~mask, 0, before)
    after[mask & (before == 0)] = target.object_id
    if np.array_equal(after, before):
        return False
    labels.data[target.plane.index] = after
    labels.refresh(extent=False)
    return True


def _full_resolution(image: Image) -> Any:
    return image.data[0] if image.multiscale else image.data


def _transforms(image: Image) -> dict[str, Any]:
    return {name: getattr(image, name) for name in TRANSFORMS}


def _placed(
    point: Sequence[float], object_id: int, sign: Sign, plane: Plane
) -> PlacedClick:
    if len(plane.position) != len(point):
        raise ValueError(f"slice {plane} of a click with {len(point)} coordinates")
    plane = Plane.through(point, plane.axes)
    click = Click(*plane.project(point), is_positive=sign == "+")
    return PlacedClick(click, Target(object_id, plane))


def _coordinates(placed: PlacedClick) -> tuple[float, ...]:
    return placed.target.plane.lift(placed.click.row, placed.click.col)


def _sign(placed: PlacedClick) -> Sign:
    return "+" if placed.click.is_positive else "-"
