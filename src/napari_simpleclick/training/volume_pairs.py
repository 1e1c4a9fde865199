"""Volumes and their labels, pairs of files NAME_image and NAME_label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_simpleclick.evaluation.volume_files import (
    is_volume_file,
    read_any_volume,
    read_label_volume,
)
from napari_simpleclick.io.same_voxels import on_voxels_of
from napari_simpleclick.training.labelled_volume import (
    LabelledVolume,
    renumber,
    to_uint8,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_simpleclick.io.volume import Volume

SMALLEST_SIDE = 48
"""Pixels; a volume is not sliced where a slice would have a shorter side."""

LARGEST_ANISOTROPY = 1.5
"""A volume is not sliced where pixels would be longer than this, by their width."""


def read_volumes(source: Path) -> Iterator[LabelledVolume]:
    """Read pairs NAME_image and NAME_label of one data set, as `pack` describes.

    Other files, and hidden ones, are passed over.

    Raises
    ------
    TypeError
        If labels are no integers.
    ValueError
        If a file is broken, or labels do not lie on the voxels of their image, or have
        not 2 or 3 axes.
    """
    files = sorted(filter(is_volume_file, source.iterdir()))
    for path in files:
        name, is_label, _ = path.name.partition("_label.")
        if is_label:
            yield from _with_images(source.name, path, _images_of(name, files))


def _images_of(name: str, files: Sequence[Path]) -> list[Path]:
    own = [file for file in files if file.name.startswith(f"{name}_image.")]
    return own or [
        file
        for file in files
        if file.name.startswith(f"{name}_") and "_image." in file.name
    ]


def _with_images(
    source: str, path: Path, images: Sequence[Path]
) -> Iterator[LabelledVolume]:
    own = _in_slices(read_label_volume(path), path)
    for image_path in images:
        its = _in_slices(read_any_volume(image_path), image_path)
        labels = on_voxels_of(its, own, image_path, path)
        if its.data.shape != labels.shape:
            raise ValueError(
                f"{image_path}: shape {its.data.shape}, expected that of {path.name}, "
                f"{labels.shape}"
            )
        axes = _slicing_axes(labels.shape, its.scale)
        yield LabelledVolume(source, to_uint8(its.data), renumber(labels), axes)
    if not images:
        axes = _slicing_axes(own.data.shape, own.scale)
        yield LabelledVolume(source, None, renumber(own.data), axes)


def _in_slices(volume: Volume, path: Path) -> Volume:
    """Turn it to (z, y, x); a file of one slice is a volume, too."""
    if volume.data.ndim == 2:
        data, scale = volume.data[None], (1.0, *volume.scale)
        volume = replace(volume, data=data, scale=scale, units=("pixel", *volume.units))
    if volume.data.ndim != 3 or volume.is_rgb or volume.channel_axis is not None:
        raise ValueError(
            f"{path}: shape {volume.data.shape}, expected grey slices, (z, y, x)"
        )
    return volume


def _slicing_axes(shape: Sequence[int], spacing: Sequence[float]) -> tuple[int, ...]:
    """Return the axes with large enough, isotropic enough slices; else the best."""

    def quality(axis: int) -> tuple[bool, float]:
        plane = [other for other in range(3) if other != axis]
        steps = [spacing[other] for other in plane]
        anisotropy = max(steps) / min(steps)
        large = min(shape[other] for other in plane) >= SMALLEST_SIDE
        return large and anisotropy <= LARGEST_ANISOTROPY, -anisotropy

    good = tuple(axis for axis in range(3) if quality(axis)[0])
    return good or (max(range(3), key=quality),)
