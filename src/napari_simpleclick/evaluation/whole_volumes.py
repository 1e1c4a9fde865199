"""Objects of whole volumes as samples."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.evaluation.samples import Dataset, Source, VolumeSample
from napari_simpleclick.evaluation.volume_layouts import VOLUME_LAYOUTS
from napari_simpleclick.evaluation.volumes import files_of, read_labelled
from napari_simpleclick.inference.intensity import to_display

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_simpleclick.evaluation.slicing import Slicing
    from napari_simpleclick.evaluation.volume_layouts import VolumeFiles


def open_whole(
    name: str,
    root: str | Path,
    slicing: Slicing | None = None,
    *,
    labels: Path | None = None,
    reach: int = 0,
) -> Dataset:
    """List the objects of whole volumes, to be clicked slice by slice.

    Parameters
    ----------
    name, root, labels
        As for `open_volumes`.
    slicing : Slicing or None
        Slices that may be clicked on, `largest_only` apart; an object needs
        `min_area` on one of them. None for any slice along the axis of the layout.
    reach : int
        As for `VolumeSample`.

    Returns
    -------
    Dataset
        Its samples are `VolumeSample`, "volume/label".

    Raises
    ------
    FileNotFoundError, ValueError
        As for `find_volumes`, or if `reach` is negative.
    """
    if reach < 0:
        raise ValueError(f"reach: {reach}, expected at least 0")
    slicing = replace(slicing or VOLUME_LAYOUTS[name].slicing, largest_only=False)
    sources = (
        Source(files.name, partial(_whole, files, slicing, reach))
        for files in files_of(name, Path(root), labels)
    )
    return Dataset(name, tuple(sources), "dice")


def _whole(files: VolumeFiles, slicing: Slicing, reach: int) -> Iterator[VolumeSample]:
    volume = read_labelled(files, slicing.axis)
    slices = list(slicing.indices(volume.objects))
    shown = np.stack([to_display(image, volume.limits) for image in volume.image])
    values = np.unique(volume.objects[slices])
    for value in values[values != 0]:
        mask = np.ascontiguousarray(volume.objects == value)
        if np.count_nonzero(mask[slices], axis=(1, 2)).max() >= slicing.min_area:
            name, size = f"{files.name}/{value:d}", volume.voxel_size
            yield VolumeSample(name, shown, mask, slices, reach, size)
