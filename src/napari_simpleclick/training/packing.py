"""Training data in one file: labelled slices and volumes, packed as 8-bit arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from napari_simpleclick.io.atomic import replacing
from napari_simpleclick.training.labelled_folder import read_labelled
from napari_simpleclick.training.labelled_volume import LabelledVolume

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def pack(folder: Path, output: Path) -> int:
    """Pack every data set under a folder into one compressed file.

    A data set is a folder of `images/STEM.png` and `masks/STEM.png` or
    `labels/STEM.png` (integer label maps; .tif and .jpg, too), or of volumes
    `NAME_image.*` and `NAME_label.*` (.tif with axes z, y, x, .nii.gz, .mhd). A volume
    without an image of its own name takes the images whose name begins with its name:
    `P_FLAIR_image` and `P_T1_image` share `P_label`. Labels of volumes without any
    image are kept for painting.

    Parameters
    ----------
    folder : Path
        Holds one folder per data set.
    output : Path
        The .npz file to write, whole or not at all.

    Returns
    -------
    int
        Number of volumes packed.

    Raises
    ------
    FileNotFoundError
        If the folder of the file is not there, or a data set has images or label maps
        alone.
    TypeError, ValueError
        If the file is not to be called .npz, the folder holds no labelled images, or
        one of them cannot be used; the message names it.
    """
    _check_output(output)
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
    with replacing(output) as partial:
        np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]
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


def _check_output(output: Path) -> None:
    if output.suffix != ".npz" or output.is_dir():
        raise ValueError(f"output: {output}, expected the name of a file, .npz")
    if not output.parent.is_dir():
        raise FileNotFoundError(f"output: {output}, there is no folder {output.parent}")


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
    """Read every data set under a folder, as `pack` describes; hidden ones are none."""
    for source in sorted(folder.iterdir()):
        if source.is_dir() and not source.name.startswith("."):
            yield from read_labelled(source)
