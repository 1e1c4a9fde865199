"""Slices of labelled volumes as samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.evaluation.samples import AnnotatedSample, Dataset, Source
from napari_simpleclick.evaluation.volume_files import (
    read_any_volume,
    read_label_volume,
)
from napari_simpleclick.evaluation.volume_layouts import (
    VOLUME_LAYOUTS,
    VolumeFiles,
    find_volumes,
)
from napari_simpleclick.inference.intensity import display_range, to_display
from napari_simpleclick.io.same_voxels import on_voxels_of
from napari_simpleclick.io.units import convert_length, is_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_simpleclick.evaluation.slicing import Slicing
    from napari_simpleclick.io.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class LabelledVolume:
    """A volume with its objects, the sliced axis first.

    Parameters
    ----------
    image : ndarray
        (n, H, W), as it was read.
    objects : ndarray
        (n, H, W), integer or bool: 0 is the background.
    limits : tuple of float
        Values shown as black and white, see `to_display`.
    pixel_size : tuple of float or None
        Height and width of a pixel of a slice in millimetres, where they are known.
    spacing : float or None
        Distance of slices in millimetres, where it is known.
    """

    image: NDArray[np.generic]
    objects: NDArray[np.generic]
    limits: tuple[float, float]
    pixel_size: tuple[float, float] | None
    spacing: float | None

    @property
    def voxel_size(self) -> tuple[float, float, float] | None:
        """Spacing, height and width in millimetres, None where not all are known."""
        if self.spacing is None or self.pixel_size is None:
            return None
        return (self.spacing, *self.pixel_size)


def open_volumes(
    name: str,
    root: str | Path,
    slicing: Slicing | None = None,
    *,
    labels: Path | None = None,
) -> Dataset:
    """List a data set of volumes, anywhere below a folder.

    Parameters
    ----------
    name : str
        A key of `VOLUME_LAYOUTS`.
    root : str or Path
        The folder.
    slicing : Slicing or None
        Slices to take; None for those of the layout.
    labels : Path or None
        Labels of `root`, where that is one volume.

    Returns
    -------
    Dataset
        By volume, slice and label; the name of a sample is "volume/slice/label". While
        reading, a TypeError or ValueError says which volume cannot be used, and why.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `find_volumes`.
    """
    chosen = slicing or VOLUME_LAYOUTS[name].slicing
    sources = (
        Source(files.name, partial(_samples, files, chosen))
        for files in files_of(name, Path(root), labels)
    )
    return Dataset(name, tuple(sources))


def files_of(name: str, root: Path, labels: Path | None) -> tuple[VolumeFiles, ...]:
    """Find the volumes of a data set, or of two files, as for `open_volumes`."""
    if labels is None:
        return find_volumes(VOLUME_LAYOUTS[name], root)
    for file in (root, labels):
        if not file.is_file():
            raise FileNotFoundError(f"there is no file {file}")
    return (VolumeFiles(root.name.split(".")[0], root, labels),)


def read_labelled(files: VolumeFiles, axis: int | None) -> LabelledVolume:
    """Read a volume and its objects.

    Parameters
    ----------
    files : VolumeFiles
        Where they are.
    axis : int or None
        Axis, of (z, y, x), that is sliced; None for that of the largest voxel size.

    Raises
    ------
    TypeError, ValueError
        If the labels are no integers, or do not lie on the voxels of the image, or
        that has colours or channels.
    """
    volume = read_any_volume(files.image)
    if volume.is_rgb or volume.channel_axis is not None:
        raise ValueError(f"{files.image} has colours or channels, expected grey")
    labels = on_voxels_of(
        volume, read_label_volume(files.labels), files.image, files.labels
    )
    if labels.shape != volume.data.shape or labels.ndim != 3:
        raise ValueError(
            f"{files.labels}: shape {labels.shape}, expected (z, y, x) of the image's "
            f"{volume.data.shape}"
        )
    if axis is None:
        axis = int(np.argmax(volume.scale))
    objects, _ = files.objects(labels)
    return LabelledVolume(
        np.moveaxis(volume.data, axis, 0),
        np.moveaxis(objects, axis, 0),
        display_range(volume.data),
        _pixel_size(volume, axis),
        _millimetres(volume, axis),
    )


def _samples(files: VolumeFiles, slicing: Slicing) -> Iterator[AnnotatedSample]:
    volume = read_labelled(files, slicing.axis)
    for index in slicing.indices(volume.objects):
        shown = to_display(volume.image[index], volume.limits)
        objects = volume.objects[index]
        values, areas = np.unique(objects, return_counts=True)
        for value in values[(values != 0) & (areas >= slicing.min_area)]:
            yield AnnotatedSample(
                f"{files.name}/{index}/{value:d}",
                shown,
                objects == value,
                pixel_size=volume.pixel_size,
            )


def _pixel_size(volume: Volume, axis: int) -> tuple[float, float] | None:
    """Size of the pixels of a slice in millimetres, None where it is not known."""
    height, width = (_millimetres(volume, a) for a in range(3) if a != axis)
    return None if height is None or width is None else (height, width)


def _millimetres(volume: Volume, axis: int) -> float | None:
    """Voxel size along an axis in millimetres, None where it is not known."""
    unit = volume.units[axis]
    return convert_length(volume.scale[axis], unit, "mm") if is_length(unit) else None
