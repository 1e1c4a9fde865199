"""Volumes and label volumes of every format that data sets come in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.io import metaimage, nifti, tiff
from napari_simpleclick.io.files import read_volume

if TYPE_CHECKING:
    from pathlib import Path

    from napari_simpleclick.io.volume import Volume


SUFFIXES: Final = (*nifti.SUFFIXES, *tiff.SUFFIXES, *metaimage.SUFFIXES)
"""Ends of the names of volumes, in any case."""


def is_volume_file(file: Path) -> bool:
    """Say whether a name is that of a volume; hidden files, as macOS adds, are none."""
    return file.name.lower().endswith(SUFFIXES) and not file.name.startswith(".")


def read_any_volume(file: Path) -> Volume:
    """Read a NIfTI, TIFF or MetaImage file.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `read_volume` and `read_metaimage`.
    """
    if file.suffix.lower() in metaimage.SUFFIXES:
        return metaimage.read_metaimage(file)
    return read_volume(file)


def read_label_volume(file: Path) -> Volume:
    """Read labels; those that a scaled header makes floats of are integers again.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `read_any_volume`.
    TypeError
        If there are values between integers.
    """
    labels = read_any_volume(file)
    data = labels.data
    if data.dtype.kind == "f" and np.array_equal(data, np.rint(data)):
        return replace(labels, data=data.astype(np.int64))
    if data.dtype.kind not in "bui":
        raise TypeError(f"{file}: dtype {data.dtype}, expected integer or bool")
    return labels
