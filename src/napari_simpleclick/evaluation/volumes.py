"""Slices of labelled volumes as samples: any pair of files, BraTS, OAI-ZIB."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.evaluation import object_rules as rules
from napari_simpleclick.evaluation.samples import AnnotatedSample, Dataset, Source
from napari_simpleclick.inference.intensity import display_range, to_display
from napari_simpleclick.io import metaimage
from napari_simpleclick.io.files import read_volume
from napari_simpleclick.io.units import convert_length, is_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from napari_simpleclick.evaluation.object_rules import ObjectRule
    from napari_simpleclick.io.volume import Volume


@dataclass(frozen=True, slots=True)
class Slicing:
    """Which slices of a volume are taken.

    Parameters
    ----------
    axis : int or None
        Axis, of (z, y, x), that is sliced; None for that of the largest voxel size, the
        first at a tie.
    every : int
        Every n-th slice, the first one included.
    min_area : int
        Pixels that an object must have on a slice to be taken.
    largest_only : bool
        Only the one slice with the largest area of objects, the first at a tie.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    axis: int | None = 0
    every: int = 1
    min_area: int = 1
    largest_only: bool = False

    def __post_init__(self) -> None:
        if self.axis not in (None, 0, 1, 2):
            raise ValueError(f"axis: {self.axis}, expected 0, 1 or 2")
        if self.every < 1 or self.min_area < 1:
            raise ValueError(
                f"every, min_area: {self.every}, {self.min_area}, expected at least 1"
            )

    def indices(self, labels: NDArray[np.generic]) -> Iterable[int]:
        """Slices to take of labels (n, H, W) that lie along the first axis."""
        if self.largest_only:
            return [int(np.count_nonzero(labels, axis=(1, 2)).argmax())]
        return range(0, len(labels), self.every)


@dataclass(frozen=True, slots=True)
class VolumeLayout:
    """How the volumes of a data set are named.

    Parameters
    ----------
    label : str
        Regular expression for the name of a label file, whose first group names the
        case.
    images : tuple of str
        Regular expressions for the name of its image, with ``{case}``; the first that
        is there counts, next to the labels or elsewhere below the root.
    objects : callable
        A rule of `object_rules`.
    slicing : Slicing
        Slices to take.
    expected : str
        The layout in words.
    """

    label: str
    images: tuple[str, ...]
    objects: ObjectRule
    slicing: Slicing
    expected: str


VOLUME_LAYOUTS: Final[Mapping[str, VolumeLayout]] = MappingProxyType(
    {
        "volume": VolumeLayout(
            r"(.+)_label\.(?:nii|nii\.gz|tiff?|mhd|mha)",
            (r"{case}_image\.(?:nii|nii\.gz|tiff?|mhd|mha)",),
            rules.each_label,
            Slicing(),
            "pairs NAME_image and NAME_label, .nii, .nii.gz, .tif, .mhd or .mha",
        ),
        "BraTS_volumes": VolumeLayout(
            r"(.+)[_-]seg\.nii(?:\.gz)?",
            (r"{case}_flair\.nii(?:\.gz)?", r"{case}-t2f\.nii(?:\.gz)?"),
            rules.one_object,
            Slicing(axis=0, largest_only=True),
            "CASE/CASE_flair.nii.gz and CASE_seg.nii.gz (since 2023 CASE-t2f and "
            "CASE-seg)",
        ),
        "OAIZIB_volumes": VolumeLayout(
            r"(\d+)\.segmentation_masks\.(?:mhd|mha|nii|nii\.gz)",
            (r"{case}\.(?:mhd|mha|nii|nii\.gz)",),
            rules.only(2, 4),
            Slicing(axis=None, largest_only=True),
            "ID.segmentation_masks.mhd (with its .raw), and the scan as ID.mhd or "
            "ID.nii.gz on the same voxels",
        ),
    }
)
"""By name. BraTS: the whole tumour on the one axial FLAIR slice where it is largest.
OAI-ZIB: femoral and tibial cartilage (labels 2 and 4) on the one sagittal slice, which
is the one of the thickest voxels, where they are largest. The authors of the published
figures do not say which slices they took, so these need not be theirs."""


def open_volumes(
    name: str, root: str | Path, slicing: Slicing | None = None
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

    Returns
    -------
    Dataset
        By case, slice and label; the name of a sample is "case/slice/label". While
        reading, a TypeError or ValueError says which volume cannot be used, and why.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If there is no label file, or one has no image.
    """
    layout, root = VOLUME_LAYOUTS[name], Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"no folder {root}; expected {layout.expected}")
    files = sorted(file for file in root.rglob("*") if file.is_file())
    cases = [
        (match.group(1), file)
        for file in files
        if (match := re.fullmatch(layout.label, file.name, re.IGNORECASE))
    ]
    if not cases:
        raise ValueError(f"{root} has no label volume; expected {layout.expected}")
    slicing = slicing or layout.slicing
    sources = []
    for case, labels in cases:
        image = _image_file(case, labels, files, layout)
        read = partial(_samples, case, image, labels, layout.objects, slicing)
        sources.append(Source(case, read))
    return Dataset(name, tuple(sources))


def open_pair(image: Path, labels: Path, slicing: Slicing) -> Dataset:
    """Take one volume and its labels; every label is an object of its own.

    Parameters
    ----------
    image, labels : Path
        NIfTI, TIFF or MetaImage files of the same voxels.
    slicing : Slicing
        Slices to take.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    """
    for file in (image, labels):
        if not file.is_file():
            raise FileNotFoundError(f"there is no file {file}")
    name = image.name.split(".")[0]
    read = partial(_samples, name, image, labels, rules.each_label, slicing)
    return Dataset("volume", (Source(name, read),))


def _image_file(
    case: str, labels: Path, files: list[Path], layout: VolumeLayout
) -> Path:
    near = [file for file in files if file.parent == labels.parent]
    for pattern in layout.images:
        name = re.compile(pattern.format(case=re.escape(case)), re.IGNORECASE)
        for file in (*near, *files):
            if name.fullmatch(file.name):
                return file
    raise ValueError(f"{labels} has no image; expected {layout.expected}")


def _samples(
    case: str, image_file: Path, label_file: Path, rule: ObjectRule, slicing: Slicing
) -> Iterator[AnnotatedSample]:
    volume, labels = _read(image_file), _integers(label_file)
    if labels.shape != volume.data.shape or labels.ndim != 3:
        raise ValueError(
            f"{label_file}: shape {labels.shape}, expected (z, y, x) of the image's "
            f"{volume.data.shape}"
        )
    axis = int(np.argmax(volume.scale)) if slicing.axis is None else slicing.axis
    objects, _ = rule(labels)
    objects, image = np.moveaxis(objects, axis, 0), np.moveaxis(volume.data, axis, 0)
    limits, pixel_size = display_range(volume.data), _pixel_size(volume, axis)
    for index in slicing.indices(objects):
        shown = to_display(image[index], limits)
        values, areas = np.unique(objects[index], return_counts=True)
        for value in values[(values != 0) & (areas >= slicing.min_area)]:
            name, mask = f"{case}/{index}/{value:d}", objects[index] == value
            yield AnnotatedSample(name, shown, mask, pixel_size=pixel_size)


def _read(file: Path) -> Volume:
    if file.suffix.lower() in metaimage.SUFFIXES:
        return metaimage.read_metaimage(file)
    return read_volume(file)


def _integers(file: Path) -> NDArray[np.generic]:
    """Labels; those that a scaled header makes floats of are integers again."""
    data = _read(file).data
    if data.dtype.kind == "f" and np.array_equal(data, np.rint(data)):
        return data.astype(np.int64)
    if data.dtype.kind not in "bui":
        raise TypeError(f"{file}: dtype {data.dtype}, expected integer or bool")
    return data


def _pixel_size(volume: Volume, axis: int) -> tuple[float, float] | None:
    """Size of the pixels of a slice in millimetres, None where it is not known."""
    rows, cols = (a for a in range(3) if a != axis)
    if not all(is_length(volume.units[a]) for a in (rows, cols)):
        return None
    height, width = (
        convert_length(volume.scale[a], volume.units[a], "mm") for a in (rows, cols)
    )
    return height, width
