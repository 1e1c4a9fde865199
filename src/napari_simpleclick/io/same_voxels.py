"""Labels on the voxels of their image, whichever way the two files store them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.io import metaimage, nifti

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.io.grid import NiftiGrid
    from napari_simpleclick.io.volume import Volume

_TOLERANCE: Final = 0.5  # voxels


def on_voxels_of(
    image: Volume, labels: Volume, image_file: Path, label_file: Path
) -> NDArray[np.generic]:
    """Turn labels as their image is turned for display.

    NIfTI files that say which way their axes run are displayed alike. If only one of
    the two says so, and the other is NIfTI or MetaImage, the two store their voxels in
    the same order. TIFF files have the order of display.

    Parameters
    ----------
    image, labels : Volume
        As they were read, (z, y, x).
    image_file, label_file : Path
        From there.

    Returns
    -------
    ndarray
        Voxels of the labels, (z, y, x) of the image.

    Raises
    ------
    ValueError
        If the files say of their axes that they run in different directions, and in
        the world the labels do not lie on the image.
    """
    its, own = _oriented(image), _oriented(labels)
    if its and own:
        if its.directions != own.directions and not _coincide(its, own):
            raise ValueError(
                f"{label_file}: its axes run to {own.directions}, those of the image "
                f"to {its.directions}, and it lies elsewhere; expected labels on the "
                "voxels of the image"
            )
    elif its and _in_stored_order(label_file):
        return its.to_display(labels.data.T)
    elif own and _in_stored_order(image_file):
        return own.to_stored(labels.data).T
    return labels.data


def _oriented(volume: Volume) -> NiftiGrid | None:
    """Grid of a volume that says which way its axes run, None of any other."""
    return volume.grid if volume.grid and volume.grid.directions else None


def _in_stored_order(file: Path) -> bool:
    """Say whether a file without directions is read in the order that it stores."""
    return file.name.lower().endswith((*metaimage.SUFFIXES, *nifti.SUFFIXES))


def _coincide(one: NiftiGrid, other: NiftiGrid) -> bool:
    """Say whether the corners of two grids of equal shape are at the same places."""
    ends = np.diag(np.array(one.shape[:-4:-1]) - 1.0)
    corners = np.vstack([np.column_stack([np.zeros(3), ends]), np.ones(4)])
    apart = np.abs((one.displayed_affine - other.displayed_affine) @ corners).max()
    return bool(apart < _TOLERANCE * min(one.scale[-3:]))
