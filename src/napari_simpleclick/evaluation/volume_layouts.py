"""How volumes and their labels are named: any pair of files, BraTS, OAI-ZIB."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from napari_simpleclick.evaluation import object_rules as rules
from napari_simpleclick.evaluation.slicing import Slicing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from napari_simpleclick.evaluation.object_rules import ObjectRule


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
        is there counts, next to the labels or elsewhere below the root. Where a first
        group names the image, all that match count, but for those with a label of
        their own.
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
            (r"({case}(?:_.+)?)_image\.(?:nii|nii\.gz|tiff?|mhd|mha)",),
            rules.each_label,
            Slicing(),
            "pairs NAME_image and NAME_label, .nii, .nii.gz, .tif, .mhd or .mha; "
            "NAME_T1_image and NAME_T2_image may share NAME_label",
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


def other_slices(name: str, **given: int) -> Slicing:
    """Choose other slices than those that a data set is known by.

    Parameters
    ----------
    name : str
        One of `VOLUME_LAYOUTS`, or any other.
    **given : int
        Fields of `Slicing`; the others stay. With `every`, more slices are taken than
        the largest one.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    layout = VOLUME_LAYOUTS.get(name)
    known = Slicing() if layout is None else layout.slicing
    largest_only = known.largest_only and "every" not in given
    return replace(known, largest_only=largest_only, **given)


@dataclass(frozen=True, slots=True)
class VolumeFiles:
    """A volume and its labels.

    Parameters
    ----------
    name : str
        Unique in its data set.
    image, labels : Path
        NIfTI, TIFF or MetaImage files of the same voxels.
    objects : callable
        A rule of `object_rules`.
    """

    name: str
    image: Path
    labels: Path
    objects: ObjectRule = rules.each_label


def find_volumes(layout: VolumeLayout, root: Path) -> tuple[VolumeFiles, ...]:
    """List the volumes of a data set, anywhere below a folder; hidden files are none.

    Parameters
    ----------
    layout : VolumeLayout
        A value of `VOLUME_LAYOUTS`.
    root : Path
        The folder.

    Returns
    -------
    tuple of VolumeFiles
        By file of labels, then by image. Of equal names in several folders, the folder
        becomes a part.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If there is no label file, one has no image, or two volumes have one name.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"no folder {root}; expected {layout.expected}")
    files = sorted(
        file
        for file in root.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    )
    cases = [
        (match.group(1), file)
        for file in files
        if (match := re.fullmatch(layout.label, file.name, re.IGNORECASE))
    ]
    if not cases:
        raise ValueError(f"{root} has no label volume; expected {layout.expected}")
    names = {case for case, _ in cases}
    found = [
        VolumeFiles(name, image, labels, layout.objects)
        for case, labels in cases
        for name, image in _images(case, labels, files, layout, names)
    ]
    volumes = tuple(_with_places(found, root))
    _check_names(volumes)
    return volumes


def _images(
    case: str,
    labels: Path,
    files: Sequence[Path],
    layout: VolumeLayout,
    cases: set[str],
) -> list[tuple[str, Path]]:
    """Find the images of a label file by name: the nearest, and one or all."""
    near = [file for file in files if file.parent == labels.parent]
    for pattern in layout.images:
        name = re.compile(pattern.format(case=re.escape(case)), re.IGNORECASE)
        for place in (near, files):
            matches = [
                (match.group(1) if name.groups else case, file)
                for file in place
                if (match := name.fullmatch(file.name))
            ]
            own = [pair for pair in matches if _label_of(pair[0], cases) == case]
            if own:
                folder = own[0][1].parent
                return [one for one in own if name.groups or one[1].parent == folder]
    raise ValueError(f"{labels} has no image; expected {layout.expected}")


def _label_of(image: str, cases: set[str]) -> str:
    """Choose, of the labels whose name an image's begins with, the longest."""
    fits = (c for c in cases if f"{image}_".lower().startswith(f"{c}_".lower()))
    return max(fits, key=len, default="")


def _check_names(volumes: Sequence[VolumeFiles]) -> None:
    by_name: dict[str, VolumeFiles] = {}
    for volume in volumes:
        other = by_name.setdefault(volume.name, volume)
        if other is not volume:
            one, two = other.labels, volume.labels
            if one == two:
                one, two = other.image, volume.image
            raise ValueError(f"path: {one} and {two} have the same name")


def _with_places(found: Sequence[VolumeFiles], root: Path) -> Iterator[VolumeFiles]:
    names = [volume.name for volume in found]
    for volume in found:
        if names.count(volume.name) > 1:
            place = volume.image.parent.relative_to(root).as_posix()
            yield replace(volume, name=f"{place}/{volume.name}")
        else:
            yield volume
