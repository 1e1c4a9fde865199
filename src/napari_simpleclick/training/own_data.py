"""One's own labelled images: read, and split into those to learn from and the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.training import canvas
from napari_simpleclick.training.labelled_folder import EXPECTED, read_labelled
from napari_simpleclick.training.validation import evenly
from napari_simpleclick.types import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.training.labelled_volume import LabelledVolume

HELD_OUT: Final = 5
"""One image, or one slice, in so many of those with objects is held out."""

FEWEST: Final = 4
"""Images, or volumes, with objects, of which some can be held out."""

THINNEST: Final = 20
"""Slices of a volume of which some can be held out."""

GAP: Final = 2
"""Slices between those to learn from and those held out, which are alike."""

SMALLEST_AREA: Final = 64
"""Pixels of a held-out object on its slice."""

MOST_SLICES: Final = 30
"""Slices of a held-out volume that are clicked on."""

TOO_FEW: Final = (
    "Nothing was held out, so nothing was measured: that takes objects of at least "
    f"{SMALLEST_AREA} pixels on {FEWEST} images, or on {HELD_OUT} slices of a volume "
    f"of {THINNEST}; volumes that share their labels count as one."
)
"""Why there may be nothing to measure on."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Labelled images in two parts.

    Parameters
    ----------
    learned : tuple of LabelledVolume
        To learn from.
    held_out : tuple of LabelledVolume
        To measure on, with objects for it; empty where there are too few.
    """

    learned: tuple[LabelledVolume, ...]
    held_out: tuple[LabelledVolume, ...]


def read_own_data(folder: Path) -> list[LabelledVolume]:
    """Read `images/` and `masks/` or `labels/`, or pairs NAME_image and NAME_label.

    Parameters
    ----------
    folder : Path
        As for `read_labelled`; labels without an image are left out.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or it lacks one of those two.
    TypeError, ValueError
        If the folder holds no labelled images, or no object that is large enough to
        learn from, or an image cannot be used.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; expected {EXPECTED}")
    volumes = [volume for volume in read_labelled(folder) if volume.image is not None]
    if not volumes:
        raise ValueError(
            f"{folder} holds no labelled images; expected {EXPECTED}; or volumes "
            "NAME_image.nii.gz and NAME_label.nii.gz (or .tif)"
        )
    areas = [_largest_areas(volume, axis) for volume in volumes for axis in volume.axes]
    if max(area.max() for area in areas) < canvas.SMALLEST_AREA:
        raise ValueError(
            f"{folder} holds no object to learn from, of at least "
            f"{canvas.SMALLEST_AREA} pixels on a slice; expected label maps with 0 for "
            "the background and another value for every object"
        )
    return volumes


def split(volumes: Sequence[LabelledVolume]) -> Split:
    """Hold some images out: whole ones, or a part of one volume, which have objects.

    Volumes that share their labels, such as several contrasts, stay together.

    Parameters
    ----------
    volumes : sequence of LabelledVolume
        As `read_own_data` gives them.
    """
    groups = [group for group in _sharing_labels(volumes) if len(_measurable(group[0]))]
    if len(groups) >= FEWEST:
        chosen = [v for group in groups[HELD_OUT // 2 :: HELD_OUT] for v in group]
        return Split(tuple(v for v in volumes if v not in chosen), tuple(chosen))
    pairs = [(volume, _cut(volume)) for volume in volumes]
    cut = [parts for _, parts in pairs if parts is not None]
    return Split(
        (*(v for v, parts in pairs if parts is None), *(low for low, _ in cut)),
        tuple(high for _, high in cut),
    )


def objects(volumes: Sequence[LabelledVolume], count: int) -> list[Sample]:
    """Choose objects to click on, spread over images and labels.

    Parameters
    ----------
    volumes : sequence of LabelledVolume
        Held-out images.
    count : int
        Largest number of objects.

    Returns
    -------
    list of Sample
        A label of a slice is one object.
    """
    return evenly([one for volume in volumes for one in _objects(volume)], count)


def _sharing_labels(
    volumes: Sequence[LabelledVolume],
) -> list[list[LabelledVolume]]:
    groups: list[list[LabelledVolume]] = []
    for volume in volumes:
        is_volume = len(volume.labels) > 1
        if is_volume and groups and np.array_equal(groups[-1][0].labels, volume.labels):
            groups[-1].append(volume)
        else:
            groups.append([volume])
    return groups


def _measurable(volume: LabelledVolume) -> NDArray[np.intp]:
    """Return the indices of the slices with an object that can be clicked on."""
    return np.flatnonzero(_largest_areas(volume, volume.axes[0]) >= SMALLEST_AREA)


def _largest_areas(volume: LabelledVolume, axis: int) -> NDArray[np.intp]:
    """Return the pixels of the largest object of each slice, 0 where there is none."""
    slices = np.moveaxis(volume.labels, axis, 0)
    return np.array([np.bincount(one.flat, minlength=2)[1:].max() for one in slices])


def _cut(volume: LabelledVolume) -> tuple[LabelledVolume, LabelledVolume] | None:
    """Cut off the last measurable slices, if there are enough.

    Both parts are sliced along this axis alone.
    """
    axis, places = volume.axes[0], _measurable(volume)
    if volume.labels.shape[axis] < THINNEST or len(places) < HELD_OUT:
        return None
    start = places[-(len(places) // HELD_OUT)]
    return (
        _part(volume, axis, slice(0, start - GAP)),
        _part(volume, axis, slice(start, places[-1] + 1)),
    )


def _part(volume: LabelledVolume, axis: int, chosen: slice) -> LabelledVolume:
    place = (*(slice(None),) * axis, chosen)
    image = None if volume.image is None else volume.image[place]
    return replace(volume, image=image, labels=volume.labels[place], axes=(axis,))


def _objects(volume: LabelledVolume) -> Iterator[Sample]:
    if volume.image is None:
        return
    images = np.moveaxis(volume.image, volume.axes[0], 0)
    labels = np.moveaxis(volume.labels, volume.axes[0], 0)
    for index in evenly(_measurable(volume).tolist(), MOST_SLICES):
        values, areas = np.unique(labels[index], return_counts=True)
        for value in values[(values != 0) & (areas >= SMALLEST_AREA)]:
            name, mask = f"{volume.source}/{index}/{value}", labels[index] == value
            yield Sample(name, np.ascontiguousarray(images[index]), mask)
