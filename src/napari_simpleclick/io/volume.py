"""An image or mask in memory, as the readers give it and napari shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.io.grid import NiftiGrid

SOURCE_KEY: Final = "napari_simpleclick_source"
"""Key of a layer's metadata that holds the `NiftiGrid` it came from.

A Labels layer that carries the entry of its image is written back onto the image's own
voxel grid.
"""

LayerData = tuple[Any, dict[str, Any], str]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Voxels with their size.

    Parameters
    ----------
    name : str
        The file without folder and suffixes.
    data : ndarray
        ([t,] [z,] y, x), with a channel axis or a last axis of 3 or 4 colours where the
        two fields below say so; any dtype, in the byte order of this computer. Large
        uncompressed files stay on disk and are read as they are used.
    scale : tuple of float
        Voxel size along each axis but those of channels and colours.
    units : tuple of str
        Its canonical units, see `io.units`.
    kind : {"image", "labels"}
        Labels are integers, 0 is the background.
    channel_axis : int or None
        Axis of the channels.
    is_rgb : bool
        True where the last axis holds colours.
    grid : NiftiGrid or None
        The voxel grid of the file, for masks that overlay exactly in other viewers.
    """

    name: str
    data: NDArray[np.generic]
    scale: tuple[float, ...]
    units: tuple[str, ...]
    kind: Literal["image", "labels"] = "image"
    channel_axis: int | None = None
    is_rgb: bool = False
    grid: NiftiGrid | None = None

    def to_layer(self) -> LayerData:
        """Give the tuple (data, arguments, type) that napari makes a layer of."""
        arguments: dict[str, Any] = {
            "name": self.name,
            "scale": self.scale,
            "units": self.units,
            "metadata": {} if self.grid is None else {SOURCE_KEY: self.grid},
        }
        if self.kind == "image":
            arguments["rgb"] = self.is_rgb
            if self.channel_axis is not None:
                arguments["channel_axis"] = self.channel_axis
        return self.data, arguments, self.kind


def one_volume(image: Volume, index: int) -> Volume:
    """Take (z, y, x) from an image; a 2D image becomes one slice.

    Raises
    ------
    ValueError
        If the image has colours or channels, or there is no volume of that index.
    """
    if image.is_rgb or image.channel_axis is not None:
        raise ValueError(f"{image.name} has colours or channels; expected a grey image")
    count = image.data.shape[0] if image.data.ndim == 4 else 1
    if image.data.ndim > 4 or not 0 <= index < count:
        raise ValueError(
            f"{image.name} has shape {image.data.shape}: no volume of index {index}"
        )
    if image.data.ndim == 2:
        size = (image.scale[0], *image.scale)
        units = (image.units[0], *image.units)
        return replace(image, data=image.data[None], scale=size, units=units)
    if image.data.ndim == 3:
        return image
    return replace(
        image, data=image.data[index], scale=image.scale[1:], units=image.units[1:]
    )


def compact_labels(labels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Store labels in the smallest integer type that other tools read.

    Parameters
    ----------
    labels : array-like
        Integers or bool, any shape.

    Returns
    -------
    ndarray
        Same values and shape: uint8, uint16, int32 or uint32, the first that holds
        them; 64-bit labels are beyond most viewers.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If the labels are empty or a value needs more than 32 bits.
    """
    values = np.asarray(labels)
    if values.dtype.kind not in "bui":
        raise TypeError(f"labels have dtype {values.dtype}; expected integers")
    if values.size == 0:
        raise ValueError(f"labels have shape {values.shape}; expected at least 1 voxel")
    low, high = int(values.min()), int(values.max())
    for dtype in (np.uint8, np.uint16, np.int32, np.uint32):
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            return values.astype(dtype, copy=False)
    raise ValueError(f"labels go from {low} to {high}; expected at most 32 bits")
