"""Folders of images and label maps: read whole, or slice by slice as they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.evaluation.annotation_files import (
    by_stem,
    read_labels,
    read_pixels,
)
from napari_simpleclick.training.grey import to_grey
from napari_simpleclick.training.labelled_volume import (
    LabelledVolume,
    renumber,
    to_uint8,
)
from napari_simpleclick.training.slices import random_window
from napari_simpleclick.training.volume_pairs import read_volumes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.training.slices import Slice

LABEL_FOLDERS = ("masks", "labels")
_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
EXPECTED = (
    "images/STEM.png (or .tif, .jpg) and masks/STEM.png or labels/STEM.png, integer "
    "label maps with 0 for the background"
)


class FolderSlices:
    """Images and label maps of equal stems.

    Parameters
    ----------
    root : Path
        Holds `images/`, and `masks/` or `labels/`.

    Raises
    ------
    FileNotFoundError
        If a folder is missing.
    ValueError
        If there is no image, one has no label map, or two files have one stem.
    """

    def __init__(self, root: Path) -> None:
        images = _by_stem(root, "images")
        labels = _by_stem(root, *LABEL_FOLDERS)
        alone = sorted(images.keys() - labels.keys())
        if not images or alone:
            raise ValueError(
                f"{root} has {len(images)} images, of which {alone[:5]} have no label "
                f"map; expected {EXPECTED}"
            )
        self.pairs = tuple((images[stem], labels[stem]) for stem in sorted(images))

    def draw(self, rng: np.random.Generator) -> Slice:
        """Read an image, in grey and 8 bits, and its labels; cut a large one."""
        image, labels = read_pair(*self.pairs[rng.integers(len(self.pairs))])
        window = tuple(random_window(rng, side) for side in image.shape)
        grey = image[window].astype(np.float32) / np.float32(255)
        return grey, renumber(labels[window])


def read_labelled(folder: Path) -> Iterator[LabelledVolume]:
    """Read all that a folder holds.

    Parameters
    ----------
    folder : Path
        Images and label maps, as `FolderSlices` takes them, or volumes, as
        `read_volumes` does.

    Yields
    ------
    LabelledVolume
        An image, of one slice, or a volume.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        As for `FolderSlices`, `read_pair` and `read_volumes`.
    """
    if any((folder / name).is_dir() for name in ("images", *LABEL_FOLDERS)):
        for pair in FolderSlices(folder).pairs:
            image, labels = read_pair(*pair)
            yield LabelledVolume(folder.name, image[None], renumber(labels)[None])
    else:
        yield from read_volumes(folder)


def read_pair(
    image_file: Path, label_file: Path
) -> tuple[NDArray[np.uint8], NDArray[np.generic]]:
    """Read an image, in grey and 8 bits, and its label map.

    Returns
    -------
    image : ndarray
        (H, W), uint8.
    labels : ndarray
        (H, W), integer or bool: 0 and what is below is background.

    Raises
    ------
    TypeError, ValueError
        If a file is broken, is no image or no label map, or their shapes differ.
    """
    pixels, labels = read_pixels(image_file), read_labels(label_file)
    try:
        image = to_uint8(to_grey(pixels))
    except ValueError as error:
        raise ValueError(f"{image_file}: {error}") from error
    if labels.shape != image.shape:
        raise ValueError(
            f"{label_file}: shape {labels.shape}, expected that of the image, "
            f"{image.shape}"
        )
    return image, labels


def _by_stem(root: Path, *names: str) -> dict[str, Path]:
    """List the pictures in the first of some folders that is there."""
    for name in names:
        if (root / name).is_dir():
            return by_stem(root / name, _SUFFIXES)
    raise FileNotFoundError(
        f"{root} has no folder {' or '.join(names)}; expected {EXPECTED}"
    )
