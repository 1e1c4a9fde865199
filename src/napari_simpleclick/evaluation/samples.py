"""Data sets as values: a tuple of sources, each read when its turn comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from napari_simpleclick.types import Click, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedSample(Sample):
    """A sample as a public data set annotates it.

    Parameters
    ----------
    name, image, mask
        As for `Sample`; the name is "image/object".
    ignored : ndarray or None
        (H, W), bool: pixels that no measure counts, such as uncertain outlines.
    pixel_size : tuple of float or None
        Height and width of a pixel in millimetres, where they are known.
    """

    ignored: NDArray[np.bool_] | None = None
    pixel_size: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VolumeSample(Sample):
    """An object of a volume, to be clicked slice by slice.

    Parameters
    ----------
    name : str
        The name is "volume/object".
    image : ndarray
        (n, H, W), uint8.
    mask : ndarray
        (n, H, W), bool: the object.
    slices : sequence of int
        Slices that may be clicked on, at least one.
    reach : int
        Slices to propagate beyond the outermost clicked ones.
    voxel_size : tuple of float or None
        Distance of slices, height and width of a pixel, in millimetres, where they are
        known.
    """

    slices: Sequence[int]
    reach: int = 0
    voxel_size: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class SliceClick(Click):
    """A click on a slice of a volume.

    Parameters
    ----------
    row, col, is_positive
        As for `Click`.
    index : int
        The slice.
    """

    index: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file, or a pair of files, that holds samples.

    Parameters
    ----------
    name : str
        Every sample's name starts with this and a slash.
    read : callable
        Reads the files and returns the samples, one an object.
    """

    name: str
    read: Callable[[], Iterable[Sample]]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Samples in a fixed order; iterating reads one source after the other.

    Parameters
    ----------
    name : str
        The data set's name.
    sources : tuple of Source
        What it is read from.
    measure : {"iou", "dice"}
        What its reports speak of: Dice for objects in three dimensions.
    """

    name: str
    sources: tuple[Source, ...]
    measure: Literal["iou", "dice"] = "iou"

    def __iter__(self) -> Iterator[Sample]:
        return (sample for source in self.sources for sample in source.read())

    def find(self, names: Collection[str]) -> Iterator[Sample]:
        """Read the samples of these names, and no source without one of them.

        Parameters
        ----------
        names : collection of str
            Of samples; those that do not exist are left out.

        Yields
        ------
        Sample
            In the order of the data set.
        """
        for source in self.sources:
            if any(name.startswith(f"{source.name}/") for name in names):
                yield from (each for each in source.read() if each.name in names)


def image_of(sample_name: str) -> str:
    """Name of the image that a sample of this name lies on."""
    return sample_name.rpartition("/")[0]


def pixel_size_of(sample: Sample) -> tuple[float, float] | None:
    """Height and width of a pixel in millimetres, None where they are not known."""
    if isinstance(sample, VolumeSample) and sample.voxel_size is not None:
        return sample.voxel_size[1:]
    return sample.pixel_size if isinstance(sample, AnnotatedSample) else None


def counted(mask: NDArray[np.bool_], sample: Sample) -> NDArray[np.bool_]:
    """Take the pixels that no measure counts out of a mask of this sample."""
    if isinstance(sample, AnnotatedSample) and sample.ignored is not None:
        return mask & ~sample.ignored
    return mask
