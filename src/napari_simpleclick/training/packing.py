"""Training data in one file: labelled slices and volumes, packed as 8-bit arrays."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from skimage import io

from napari_simpleclick.io.files import read_volume
from napari_simpleclick.io.same_voxels import on_voxels_of
from napari_simpleclick.training.grey import to_grey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.io.volume import Volume

SMALLEST_SIDE = 48
"""Pixels; a volume is not sliced where a slice would have a shorter side."""

LARGEST_ANISOTROPY = 1.5
"""A volume is not sliced where pixels would be longer than this, by their width."""

CT_AIR = -500
"""Volumes that reach below are taken for CT, in Hounsfield units."""

CT_WINDOW = (-200.0, 300.0)
"""Hounsfield units shown from black to white: soft tissue."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledVolume:
    """A volume, or a stack of one slice, with a label map.

    Parameters
    ----------
    source : str
        Data set it belongs to.
    image : ndarray or None
        (Z, Y, X), uint8; None where only labels exist.
    labels : ndarray
        (Z, Y, X), unsigned integers: 0 is background.
    axes : tuple of int
        Axes along which slicing gives useful slices.
    """

    source: str
    image: NDArray[np.uint8] | None
    labels: NDArray[np.unsignedinteger]
    axes: tuple[int, ...] = (0,)


def pack(folder: Path, output: Path) -> int:
    """Pack every data set under a folder into one compressed file.

    A data set is a folder of `images/NAME.png` and `labels/NAME.png` (integer label
    maps), or of volumes `NAME_image.*` and `NAME_label.*` (.tif with axes z, y, x, or
    .nii.gz). A volume without an image of its own name takes the images whose name
    begins with its name: `P_FLAIR_image` and `P_T1_image` share `P_label`. Labels
    without any image are kept for painting.

    Parameters
    ----------
    folder : Path
        Holds one folder per data set.
    output : Path
        The .npz file to write.

    Returns
    -------
    int
        Number of volumes packed.

    Raises
    ------
    ValueError
        If the folder holds no labelled images.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    index: list[dict[str, object]] = []
    for volume in read_folder(folder):
        number = len(index)
        arrays[f"labels_{number}"] = volume.labels
        if volume.image is not None:
            arrays[f"image_{number}"] = volume.image
        index.append({"source": volume.source, "axes": volume.axes})
    if not index:
        raise ValueError(f"folder: {folder} holds no labelled images")
    arrays["index"] = np.frombuffer(json.dumps(index).encode(), np.uint8)
    np.savez_compressed(output, **arrays)  # type: ignore[arg-type]
    return len(index)


def load_pack(path: Path) -> list[LabelledVolume]:
    """Read what `pack` wrote.

    Returns
    -------
    list of LabelledVolume
        In the order of packing.

    Raises
    ------
    ValueError
        If the file is no such pack, or is damaged.
    """
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
            return list(_volumes(file))
    except (ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise ValueError(
            f"{path} is no pack of training data; expected what `napari-simpleclick "
            "pack` wrote"
        ) from error


def _volumes(file: Any) -> Iterator[LabelledVolume]:
    for number, entry in enumerate(json.loads(file["index"].tobytes())):
        image = f"image_{number}"
        yield LabelledVolume(
            entry["source"],
            file[image] if image in file else None,
            file[f"labels_{number}"],
            tuple(entry["axes"]),
        )


def read_folder(folder: Path) -> Iterator[LabelledVolume]:
    """Read every data set under a folder, as `pack` describes."""
    for source in sorted(path for path in folder.iterdir() if path.is_dir()):
        if (source / "labels").is_dir():
            yield from _read_slices(source)
        else:
            yield from read_volumes(source)


def to_uint8(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale to 8 bits: CT by its soft tissue window, the rest by percentiles.

    Parameters
    ----------
    image : ndarray
        Any shape and real dtype. 8-bit images are returned as they are.

    Returns
    -------
    ndarray
        uint8, full range.
    """
    if image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    values = image.astype(np.float32)
    low, high = np.percentile(values, (0.5, 99.5))
    if values.min() < CT_AIR:
        low, high = CT_WINDOW
    scaled = ((values - low) / max(float(high - low), 1e-6)).clip(0, 1)
    result: NDArray[np.uint8] = (255 * scaled).round().astype(np.uint8)
    return result


def renumber(labels: NDArray[np.generic]) -> NDArray[np.unsignedinteger]:
    """Renumber labels to 0, 1, 2 ... in the smallest unsigned dtype.

    Parameters
    ----------
    labels : ndarray
        Any shape, integer or bool; 0 and what is below is background.

    Returns
    -------
    ndarray
        The same shape, unsigned integer; 0 stays 0.
    """
    values = np.unique(labels)
    values = np.concatenate([[0], values[values > 0]])
    renumbered = np.searchsorted(values, np.maximum(labels, 0))
    small: NDArray[np.unsignedinteger]
    small = renumbered.astype(np.min_scalar_type(len(values)))
    return small


def read_volumes(source: Path) -> Iterator[LabelledVolume]:
    """Read pairs NAME_image and NAME_label of one data set, as `pack` describes.

    Raises
    ------
    ValueError
        If labels do not lie on the voxels of their image, or have not 2 or 3 axes.
    """
    for path in sorted(source.glob("*_label.*")):
        own = _read_volume(path)
        name = path.name.partition("_label.")[0]
        images = sorted(source.glob(f"{name}_image.*"))
        images = images or sorted(source.glob(f"{name}_*_image.*"))
        for image_path in images:
            its = _read_volume(image_path)
            labels = on_voxels_of(its, own, image_path, path)
            if its.data.shape != labels.shape:
                raise ValueError(
                    f"{image_path}: shape {its.data.shape}, expected that of "
                    f"{path.name}, {labels.shape}"
                )
            axes = _slicing_axes(labels.shape, its.scale)
            image = to_uint8(its.data)
            yield LabelledVolume(source.name, image, renumber(labels), axes)
        if not images:
            axes = _slicing_axes(own.data.shape, own.scale)
            yield LabelledVolume(source.name, None, renumber(own.data), axes)


def _read_slices(source: Path) -> Iterator[LabelledVolume]:
    for path in sorted((source / "labels").iterdir()):
        image = to_grey(io.imread(source / "images" / path.name))
        labels = renumber(io.imread(path))
        yield LabelledVolume(source.name, to_uint8(image)[None], labels[None])


def _read_volume(path: Path) -> Volume:
    """Read (z, y, x); a file of one slice is a volume, too."""
    volume = read_volume(path)
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
