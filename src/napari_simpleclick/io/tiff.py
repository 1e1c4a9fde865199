"""Reading of TIFF stacks with their voxel size, and writing of labels as TIFF."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import tifffile

from napari_simpleclick.io.atomic import replacing
from napari_simpleclick.io.decoding import decoding
from napari_simpleclick.io.tiff_metadata import (
    imagej_metadata,
    in_one_unit,
    label_axes,
    ome_metadata,
    voxel_sizes,
)
from napari_simpleclick.io.units import PIXEL
from napari_simpleclick.io.volume import Volume, compact_labels

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from napari_simpleclick.io.tiff_metadata import Sizes

SUFFIXES: Final = (".tif", ".tiff")

_IN_MEMORY_BYTES: Final = 1 << 30
_IMAGEJ_BYTES: Final = 4_000_000_000  # ImageJ's TIFF has 32-bit offsets
_LABELS_SOFTWARE: Final = "napari-simpleclick labels"  # TIFF tag 305 of our masks


def is_tiff(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is a TIFF that can be opened."""
    try:
        with decoding(path, "TIFF"), tifffile.TiffFile(path) as file:
            return len(file.pages) > 0
    except (OSError, ValueError):
        return False


def read_tiff(path: str | os.PathLike[str]) -> Volume:
    """Read the first image series of a TIFF file at full resolution.

    Parameters
    ----------
    path : path-like
        A ``.tif`` or ``.tiff`` file.

    Returns
    -------
    Volume
        Data in the file's own order of axes, usually ([t,] [z,] [channel,] y, x),
        colours moved last; channels that have colours are an axis as time is. Voxel
        size and units come from OME or ImageJ metadata, else from resolution tags in
        centimetres, then with cubic voxels. Labels where this package wrote them. An
        uncompressed image of 1 GiB and more stays on disk.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not TIFF, or broken.
    """
    path = Path(path)
    with decoding(path, "TIFF"), tifffile.TiffFile(path) as file:
        _check_whole(file)
        data, axes = _voxels(path, file.series[0])
        sizes = voxel_sizes(file)
        software = file.pages.first.software
    is_rgb = axes.endswith("S") and data.shape[-1] in (3, 4)
    channels = _channel_axis(axes)
    steps = [_step(axis, sizes) for i, axis in enumerate(axes) if i != channels]
    is_labels = software == _LABELS_SOFTWARE and data.dtype.kind in "ui"
    return Volume(
        name=re.sub(r"(\.ome)?\.tiff?$", "", path.name, flags=re.I),
        data=data,
        scale=tuple(size for size, _ in steps),
        units=tuple(unit for _, unit in steps),
        kind="labels" if is_labels else "image",
        channel_axis=None if is_rgb else channels,
        is_rgb=is_rgb,
    )


def write_tiff(
    path: str | os.PathLike[str],
    labels: NDArray[np.generic],
    *,
    scale: tuple[float, ...],
    units: tuple[str, ...],
) -> None:
    """Write labels as compressed TIFF with their voxel size, whole or not at all.

    ImageJ's variant, which Fiji opens with its voxel size, where labels fit 16 bits and
    the file 4 GB; OME-TIFF where they do not, or where the name ends in ``.ome.tif``.

    Parameters
    ----------
    path : path-like
        A ``.tif`` or ``.tiff`` file.
    labels : ndarray
        ([t,] [z,] y, x), integers; which the first of three axes is, its unit tells,
        see `label_axes`. Stored in the smallest of uint8, uint16, int32 and uint32
        that holds them.
    scale : tuple of float
        Voxel size along each axis.
    units : tuple of str
        Its canonical units.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If labels need more than 32 bits, or have not 2 to 4 axes.
    """
    compact = compact_labels(labels)
    if not 2 <= compact.ndim <= 4:
        raise ValueError(f"labels have shape {compact.shape}; expected 2 to 4 axes")
    axes = label_axes(compact.ndim, units)
    sizes = in_one_unit(dict(zip(axes, zip(scale, units, strict=True), strict=True)))
    is_ome = (
        compact.dtype.itemsize > 2
        or compact.nbytes > _IMAGEJ_BYTES
        or re.search(r"\.ome\.tiff?$", str(path), re.I) is not None
    )
    with replacing(path) as partial:
        tifffile.imwrite(
            partial,
            compact,
            bigtiff=compact.nbytes > _IMAGEJ_BYTES,
            imagej=not is_ome,
            ome=is_ome,
            photometric="minisblack",
            compression="zlib",
            software=_LABELS_SOFTWARE,
            resolution=(1 / sizes["X"][0], 1 / sizes["Y"][0]),
            resolutionunit="NONE",
            metadata=(ome_metadata if is_ome else imagej_metadata)(axes, sizes),
        )


def _check_whole(file: tifffile.TiffFile) -> None:
    """Refuse a file whose pages go on where it has ended: it was not copied whole."""
    form, handle = file.tiff, file.filehandle
    handle.seek(file.pages[len(file.pages) - 1].offset)
    (tags,) = struct.unpack(form.tagnoformat, handle.read(form.tagnosize))
    handle.seek(tags * form.tagsize, 1)
    (following,) = struct.unpack(form.offsetformat, handle.read(form.offsetsize))
    if following >= handle.size:
        raise ValueError(
            f"it ends after {len(file.pages)} of its pages; expected a whole file"
        )


def _voxels(
    path: Path, series: tifffile.TiffPageSeries
) -> tuple[NDArray[np.generic], str]:
    """Voxels in native byte order with one letter for each axis, colours (S) last."""
    axes = series.axes
    if series.dataoffset is not None and series.nbytes >= _IN_MEMORY_BYTES:
        data: NDArray[np.generic] = tifffile.memmap(path, mode="r")
    else:
        data = series.asarray()
    if data.size == 0:
        raise ValueError(f"it has no voxels, but shape {data.shape}")
    data = data.astype(data.dtype.newbyteorder("="), copy=False)
    if "S" not in axes:
        return data, axes
    return np.moveaxis(data, axes.index("S"), -1), axes.replace("S", "") + "S"


def _channel_axis(axes: str) -> int | None:
    """Axis of colours (S), else of channels: with both, channels are as frames."""
    return next((axes.index(axis) for axis in "SC" if axis in axes), None)


def _step(axis: str, sizes: Sizes) -> tuple[float, str]:
    """Size and unit of an axis; pages of no known meaning (Q, I) are slices."""
    unit = PIXEL if axis in "TC" else sizes.get("X", (1.0, PIXEL))[1]
    return sizes.get("Z" if axis in "QI" else axis, (1.0, unit))
