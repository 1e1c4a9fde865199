"""Mixture: slices from several sources, each as often as its weight says."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

import numpy as np

from napari_simpleclick.training.coco_lvis import CocoLvisSlices
from napari_simpleclick.training.labelled_folder import FolderSlices
from napari_simpleclick.training.packing import load_pack
from napari_simpleclick.training.sbd import SbdSlices
from napari_simpleclick.training.slices import (
    RegionSlices,
    SyntheticSlices,
    VolumeSlices,
)
from napari_simpleclick.training.volume_pairs import read_volumes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from napari_simpleclick.training.labelled_volume import LabelledVolume
    from napari_simpleclick.training.slices import Slice, SliceSource

SourceKind = Literal[
    "synthetic", "pack", "regions", "painted", "folder", "volumes", "coco-lvis", "sbd"
]
KINDS: Final[tuple[SourceKind, ...]] = get_args(SourceKind)


@dataclass(frozen=True, slots=True)
class Source:
    """One source of slices.

    Parameters
    ----------
    kind : str
        "synthetic": made-up slices; "pack": the images in a file that `packing.pack`
        wrote; "regions": the same with their stable regions for labels, see `regions`;
        "painted": the label maps without image in such a file, painted at
        random; "folder": `images/` and `masks/` or `labels/` of equal stems; "volumes":
        pairs NAME_image and NAME_label, NIfTI or TIFF; "coco-lvis", "sbd": the public
        data sets, as `coco_lvis` and `sbd` describe them.
    path : Path or None
        The file or folder; None for "synthetic" alone.
    weight : float
        Share of the slices, over the sum of all weights; above 0.

    Raises
    ------
    ValueError
        If the kind is unknown, a path is missing or too many, or the weight is not
        above 0.
    """

    kind: SourceKind
    path: Path | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: {self.kind!r}, expected one of {', '.join(KINDS)}")
        is_made_up = self.kind == "synthetic"
        if not (self.path is None if is_made_up else isinstance(self.path, Path)):
            expected = "no path" if is_made_up else "a path"
            raise ValueError(f"path: {self.path}, expected {expected} for {self.kind}")
        if not (isinstance(self.weight, int | float) and 0 < self.weight < math.inf):
            raise ValueError(f"weight: {self.weight!r}, expected a number above 0")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], folder: Path = Path()) -> Self:
        """Read a source as a table of a TOML file gives it.

        Parameters
        ----------
        values : mapping
            "kind", "path" and "weight".
        folder : Path
            What a path is relative to.

        Raises
        ------
        ValueError
            If a name is unknown, there is no kind, or a value does not fit.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown or "kind" not in values:
            raise ValueError(
                f"sources: entries {sorted(values)}, expected kind, path and weight"
            )
        path = values.get("path")
        if isinstance(path, str):
            path = folder / path
        return cls(values["kind"], path, values.get("weight", 1.0))


def sources_from(tables: object, folder: Path) -> tuple[Source, ...]:
    """Read sources as the tables of a TOML file give them, see `Source.from_dict`.

    Raises
    ------
    ValueError
        If these are no tables, or one does not fit.
    """
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise ValueError(f"sources: {tables!r}, expected tables, [[sources]]")
    return tuple(Source.from_dict(table, folder) for table in tables)


class Mixture:
    """Slices from several sources; a source of slices itself.

    Parameters
    ----------
    sources : sequence of SliceSource
        At least one.
    weights : sequence of float
        One for each, above 0; their sum does not matter.

    Raises
    ------
    ValueError
        If there is no source, or the weights do not fit.
    """

    def __init__(
        self, sources: Sequence[SliceSource], weights: Sequence[float]
    ) -> None:
        if not sources or len(weights) != len(sources) or min(weights) <= 0:
            raise ValueError(
                f"weights: {list(weights)}, expected a number above 0 for each of "
                f"{len(sources)} sources, at least one"
            )
        self.sources = tuple(sources)
        self.shares = np.asarray(weights, np.float64) / sum(weights)

    def draw(self, rng: np.random.Generator) -> Slice:
        """Choose a source by its weight, and draw a slice of it."""
        return self.sources[rng.choice(len(self.sources), p=self.shares)].draw(rng)


def open_mixture(sources: Sequence[Source]) -> Mixture:
    """Open sources; packs and volumes are read at once, all else as it is drawn.

    Parameters
    ----------
    sources : sequence of Source
        At least one.

    Raises
    ------
    FileNotFoundError
        If a file or folder is missing.
    ValueError
        If there is no source, or one has another layout; the message says what was
        expected.
    """
    return Mixture([_open(one) for one in sources], [one.weight for one in sources])


def _open(source: Source) -> SliceSource:
    if source.path is None:
        return SyntheticSlices()
    if not source.path.exists():
        raise FileNotFoundError(f"there is no file or folder {source.path}")
    return _OPENERS[source.kind](source.path)


def _with_image(path: Path) -> list[LabelledVolume]:
    volumes = [volume for volume in load_pack(path) if volume.image is not None]
    if not volumes:
        raise ValueError(
            f"{path} holds no images, only label maps; expected kind = 'painted'"
        )
    return volumes


def _open_painted(path: Path) -> SliceSource:
    volumes = [volume for volume in load_pack(path) if volume.image is None]
    if not volumes:
        raise ValueError(
            f"{path} holds no label maps without an image; expected kind = 'pack'"
        )
    return VolumeSlices(volumes)


def _open_volumes(path: Path) -> SliceSource:
    volumes = list(read_volumes(path))
    if not volumes:
        raise ValueError(
            f"{path} has no labelled volume; expected pairs NAME_image and NAME_label, "
            ".nii, .nii.gz or .tif"
        )
    return VolumeSlices(volumes)


_OPENERS: Final[Mapping[SourceKind, Callable[[Path], SliceSource]]] = MappingProxyType(
    {
        "pack": lambda path: VolumeSlices(_with_image(path)),
        "regions": lambda path: RegionSlices(_with_image(path)),
        "painted": _open_painted,
        "folder": FolderSlices,
        "volumes": _open_volumes,
        "coco-lvis": CocoLvisSlices,
        "sbd": SbdSlices,
    }
)
