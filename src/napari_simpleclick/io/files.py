"""Volumes and masks by file name, for napari's readers and writers and for scripts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_simpleclick.io import nifti, tiff
from napari_simpleclick.io.grid import NiftiGrid
from napari_simpleclick.io.units import PIXEL, canonical_unit
from napari_simpleclick.io.volume import SOURCE_KEY

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from napari_simpleclick.io.volume import LayerData, Volume


def read_volume(path: str | os.PathLike[str]) -> Volume:
    """Read a NIfTI or TIFF file.

    Parameters
    ----------
    path : path-like
        Its suffix, in any case, tells the format: .nii, .nii.gz, .tif or .tiff.

    Returns
    -------
    Volume
        See `read_nifti` and `read_tiff`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the suffix is another, or the file is broken.
    """
    check_suffix(path)
    return nifti.read_nifti(path) if _is_nifti(path) else tiff.read_tiff(path)


def write_mask(
    path: str | os.PathLike[str], labels: NDArray[np.generic], volume: Volume
) -> None:
    """Write labels of a volume that `read_volume` has read.

    Parameters
    ----------
    path : path-like
        Its suffix tells the format, as in `read_volume`; whole or not at all.
    labels : ndarray
        Integers, the shape of the volume without channels and colours; leading axes
        (time) may be left out.
    volume : Volume
        The image: gives voxel size, and for NIfTI the voxel grid of its file.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If the suffix is another, or labels and volume do not fit.
    """
    scale, units = volume.scale[-labels.ndim :], volume.units[-labels.ndim :]
    _write(path, labels, scale, units, volume.grid)


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Refuse, with a ValueError, a file name that is of no known format."""
    known = (*nifti.SUFFIXES, *tiff.SUFFIXES)
    if not _has_suffix(path, known):
        raise ValueError(
            f"path is {str(path)!r}; expected a file name in {', '.join(known)}"
        )


def get_reader(
    path: str | list[str],
) -> Callable[[str], list[LayerData]] | None:
    """Offer napari a reader for a file, None where this package has none.

    Files that are to be stacked are left to other readers.
    """
    if not isinstance(path, str) or not Path(path).is_file():
        return None
    is_ours = _is_nifti(path) or (
        _has_suffix(path, tiff.SUFFIXES) and tiff.is_tiff(path)
    )
    return _read_layers if is_ours else None


def write_labels(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write one Labels layer for napari.

    Parameters
    ----------
    path : str
        Its suffix tells the format, as in `read_volume`.
    data : array-like
        Integers, ([t,] [z,] y, x), or a list of such from full to low resolution.
    meta : mapping
        The layer's state: `scale`, `units`, and under `metadata` at `SOURCE_KEY` the
        `NiftiGrid` of the image, if it came from NIfTI.

    Returns
    -------
    list of str
        The one path written.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If the suffix is another, or the labels do not fit the grid of the image.
    """
    labels = np.asarray(data[0] if meta.get("multiscale") else data)
    scale = tuple(abs(float(size)) for size in meta.get("scale", (1,) * labels.ndim))
    units = tuple(
        canonical_unit(unit) for unit in meta.get("units") or (PIXEL,) * labels.ndim
    )
    grid = meta.get("metadata", {}).get(SOURCE_KEY)
    if grid is not None and not isinstance(grid, NiftiGrid):
        raise TypeError(
            f"metadata[{SOURCE_KEY!r}] is {type(grid).__name__}; expected NiftiGrid"
        )
    _write(path, labels, scale, units, grid)
    return [path]


def _read_layers(path: str) -> list[LayerData]:
    return [read_volume(path).to_layer()]


def _write(
    path: str | os.PathLike[str],
    labels: NDArray[np.generic],
    scale: tuple[float, ...],
    units: tuple[str, ...],
    grid: NiftiGrid | None,
) -> None:
    check_suffix(path)
    if _is_nifti(path):
        nifti.write_nifti(path, labels, scale=scale, units=units, grid=grid)
    else:
        tiff.write_tiff(path, labels, scale=scale, units=units)


def _is_nifti(path: str | os.PathLike[str]) -> bool:
    return _has_suffix(path, nifti.SUFFIXES)


def _has_suffix(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> bool:
    return Path(path).name.lower().endswith(suffixes)
