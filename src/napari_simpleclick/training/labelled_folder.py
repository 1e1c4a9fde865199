"""FolderSlices: a folder of images and label maps, read as they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from skimage.io import imread

from napari_simpleclick.evaluation.annotation_files import read_labels
from napari_simpleclick.training.grey import to_grey
from napari_simpleclick.training.labelled_volume import renumber, to_uint8
from napari_simpleclick.training.slices import random_window

if TYPE_CHECKING:
    from pathlib import Path

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
        If there is no image, or one has no label map.
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
        image_file, label_file = self.pairs[rng.integers(len(self.pairs))]
        image = to_uint8(to_grey(imread(image_file)))
        labels = read_labels(label_file)
        if labels.shape != image.shape:
            raise ValueError(
                f"{label_file}: shape {labels.shape}, expected that of the image, "
                f"{image.shape}"
            )
        window = tuple(random_window(rng, side) for side in image.shape)
        grey = image[window].astype(np.float32) / np.float32(255)
        return grey, renumber(labels[window])


def _by_stem(root: Path, *names: str) -> dict[str, Path]:
    """List the pictures in the first of some folders that is there."""
    for name in names:
        if (root / name).is_dir():
            return {
                file.stem: file
                for file in sorted((root / name).iterdir())
                if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")
            }
    raise FileNotFoundError(
        f"{root} has no folder {' or '.join(names)}; expected {EXPECTED}"
    )
