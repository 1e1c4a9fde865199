"""What the plugin reads from an image layer: its slices, as they are displayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_simpleclick.inference.intensity import to_display
from napari_simpleclick.inference.plane import Plane

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari.components import Dims
    from napari.layers import Image, Labels
    from numpy.typing import NDArray

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


def image_shape(image: Image | Labels) -> tuple[int, ...]:
    """Return the shape of an image layer at full resolution, without colour."""
    return tuple(full_resolution(image).shape[: image.ndim])


def raw_slice(image: Image, plane: Plane) -> RawSlice:
    """Take a slice of an image layer together with how it is displayed now."""
    limits = None if image.rgb else (image.contrast_limits[0], image.contrast_limits[1])
    return RawSlice(full_resolution(image), plane, limits, float(image.gamma))


def displayed_plane(image: Image | Labels, dims: Dims) -> Plane | None:
    """Return the slice of an image that the viewer shows.

    Parameters
    ----------
    image : Image or Labels
        An image with two axes or more, or a layer that lies over it.
    dims : Dims
        The viewer's; they may have more axes in front than the image.

    Returns
    -------
    Plane or None
        None in 3D view, where the image's axes are not displayed, where the slider
        stands outside the image, where the viewer shows other units, or where the
        image is tilted out of the slice.
    """
    missing = dims.ndim - image.ndim
    axes = [axis - missing for axis in dims.displayed]
    if len(axes) != 2 or min(axes) < 0 or not is_in_world_units(image, dims):
        return None
    if is_tilted(image, axes):
        return None
    point = image.world_to_data(dims.point[missing:])
    if any(round(p) < 0 for axis, p in enumerate(point) if axis not in axes):
        return None
    plane = Plane.through(point, axes)
    return plane if plane.fits(image_shape(image)) else None


def is_tilted(image: Image | Labels, axes: Collection[int]) -> bool:
    """Say whether moving along displayed axes of the world leaves the image's slice.

    napari then draws the slice as if it were not so, but takes mouse positions for
    what they are: on other slices.
    """
    fixed = [axis for axis in range(image.ndim) if axis not in axes]
    steps = [image.world_to_data(step) for step in np.eye(image.ndim)[list(axes)]]
    moved = np.array(steps) - image.world_to_data(np.zeros(image.ndim))
    return bool(np.abs(moved[:, fixed]).max(initial=0) > 1e-6)


def is_in_world_units(image: Image | Labels, dims: Dims) -> bool:
    """Say whether the viewer's world has the units of an image.

    Where layers have units that can be converted, such as mm and um, napari draws them
    in one of the two; but it still takes mouse positions for those of each layer.
    """
    units = getattr(dims, "units", None)  # newer releases of napari
    return units is None or tuple(units[-image.ndim :]) == tuple(image.units)


def obstacle(image: Image, dims: Dims) -> str:
    """Say why a click found no pixel of an image."""
    if dims.ndisplay != 2:
        return "Clicks need the 2D view: leave the 3D view first (Ctrl+Y)."
    if not is_in_world_units(image, dims):
        return (
            f"napari cannot place clicks on image {image.name!r}, as another layer has "
            "other units: give all layers the same."
        )
    if displayed_plane(image, dims) is None:
        return (
            f"No slice of image {image.name!r} is on display here, or it is tilted out "
            "of the view."
        )
    return f"Click inside image {image.name!r}."


def show_plane(image: Image, dims: Dims, plane: Plane) -> None:
    """Move the viewer's sliders to a slice of an image."""
    missing = dims.ndim - image.ndim
    world = image.data_to_world(plane.lift(0, 0))
    for axis, index in enumerate(plane.position):
        if index is not None:
            dims.set_point(axis + missing, world[axis])


def transforms(image: Image) -> dict[str, Any]:
    """Return what makes another layer lie exactly over an image."""
    return {name: getattr(image, name) for name in TRANSFORMS}


def full_resolution(image: Image | Labels) -> Any:
    """Return the array of a layer, of a pyramid the finest."""
    return image.data[0] if image.multiscale else image.data
