"""Reading of NIfTI volumes, and writing of labels onto their voxel grid."""

# mypy: untyped-calls-exclude=nibabel
from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import nibabel as nib
import numpy as np

from napari_simpleclick.io.atomic import replacing
from napari_simpleclick.io.decoding import decoding
from napari_simpleclick.io.grid import NiftiGrid
from napari_simpleclick.io.volume import Volume, compact_labels

if TYPE_CHECKING:
    import os

    from nibabel.arrayproxy import ArrayProxy
    from numpy.typing import NDArray

SUFFIXES: Final = (".nii", ".nii.gz")

_LABEL_INTENT: Final = 1002  # NIFTI_INTENT_LABEL of nifti1.h
_IN_MEMORY_BYTES: Final = 1 << 30
_MASK_NAME: Final = re.compile(r"(^|[_.-])(d?seg|segmentation|masks?|labels?)$", re.I)


def read_nifti(path: str | os.PathLike[str]) -> Volume:
    """Read a NIfTI-1 or NIfTI-2 file.

    Parameters
    ----------
    path : path-like
        A ``.nii`` or ``.nii.gz`` file.

    Returns
    -------
    Volume
        Data ([t,] z, y, x), oriented as `NiftiGrid` says: integers as stored, or
        float32 (float64 where needed) where the header scales them; colours where the
        voxels are RGB or RGBA. Labels where the voxels are unscaled integers and either
        the header's intent is "label" or the name ends in mask, seg, dseg, segmentation
        or label(s). An uncompressed file of 1 GiB and more stays on disk; edits of its
        voxels stay in memory.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not NIfTI, or broken.
    """
    path = Path(path)
    with decoding(path, "NIfTI"):
        image = nib.load(path)
        if not isinstance(image, nib.Nifti1Image):
            raise ValueError(f"it holds {type(image).__name__}")
        grid = NiftiGrid(image.header.copy(), path)
        voxels = _voxels(image)
        data: NDArray[Any] = grid.to_display(voxels)
    if data.dtype.names is not None:
        data = np.stack([data[name] for name in data.dtype.names], axis=-1)
    return Volume(
        name=_stem(path),
        data=data,
        scale=grid.scale,
        units=grid.units,
        kind=_kind(path, grid, voxels.dtype),
        is_rgb=voxels.dtype.names is not None,
        grid=grid,
    )


def write_nifti(
    path: str | os.PathLike[str],
    labels: NDArray[np.generic],
    *,
    scale: tuple[float, ...],
    units: tuple[str, ...],
    grid: NiftiGrid | None = None,
) -> None:
    """Write labels as NIfTI, whole or not at all.

    With the grid of the image, voxel order, affine, header and header extensions are
    the image's; only the type of the voxels, the number of volumes, the intent
    ("label") and the display range differ. Without, the file states voxel size
    and units, and that the orientation is unknown.

    Parameters
    ----------
    path : path-like
        A ``.nii`` or ``.nii.gz`` file.
    labels : ndarray
        ([t,] z, y, x), integers, as displayed: stored in the smallest of uint8, uint16,
        int32 and uint32 that holds them.
    scale : tuple of float
        Voxel size along each axis; not used where there is a grid, which knows it.
    units : tuple of str
        Its canonical units; likewise.
    grid : NiftiGrid or None
        Grid of the image that the labels belong to.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If labels need more than 32 bits, or their shape is not that of the image.
    """
    compact = compact_labels(labels)
    if grid is None:
        grid = NiftiGrid.plain(compact.shape, scale, units)
    stored = grid.to_stored(compact)
    header = grid.header.copy()
    header.set_data_dtype(stored.dtype)
    header.set_slope_inter(1, 0)
    header.set_intent("label")
    header["cal_min"] = header["cal_max"] = 0
    # Without an affine of its own, the image keeps qform and sform of the header.
    if isinstance(header, nib.Nifti2Header):
        image: nib.Nifti1Image = nib.Nifti2Image(stored, None, header)
    else:
        image = nib.Nifti1Image(stored, None, header)
    with replacing(path) as partial:
        image.to_filename(partial)


def _voxels(image: nib.Nifti1Image) -> NDArray[np.generic]:
    """Voxels as stored, (x, y, z[, t, ...]), scaled, in native byte order."""
    proxy = cast("ArrayProxy", image.dataobj)
    if (proxy.slope, proxy.inter) == (1, 0):
        voxels = np.asanyarray(proxy)
    else:
        voxels = np.asarray(proxy, np.result_type(proxy.dtype, np.float32))
    if voxels.size == 0:
        raise ValueError(f"it has no voxels, but shape {voxels.shape}")
    voxels = voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
    if isinstance(voxels, np.memmap) and voxels.nbytes < _IN_MEMORY_BYTES:
        return np.array(voxels)
    return voxels


def _kind(path: Path, grid: NiftiGrid, dtype: np.dtype) -> Literal["image", "labels"]:
    says_labels = int(grid.header["intent_code"]) == _LABEL_INTENT
    if dtype.kind in "ui" and (says_labels or _MASK_NAME.search(_stem(path))):
        return "labels"
    return "image"


def _stem(path: Path) -> str:
    return re.sub(r"\.nii(\.gz)?$", "", path.name, flags=re.I)
