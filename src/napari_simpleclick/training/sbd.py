"""SBD, the Semantic Boundaries Dataset: photographs of Pascal VOC and their objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_simpleclick.evaluation.annotation_files import read_image, read_sbd
from napari_simpleclick.training.grey import to_grey

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.training.slices import Slice

EXPECTED = "img/STEM.jpg, inst/STEM.mat, and train.txt with one stem a line"

SPARSEST = 0.08
"""Objects that fill less of their bounding box are faulty: `buggy_mask_thresh` of the
published SBDDataset."""


class SbdSlices:
    """Photographs of SBD, with their objects as label maps.

    Parameters
    ----------
    root : Path
        The folder that SBD calls "dataset", or the one above.
    split : str
        "train" (8498 images) or "val" (2857): the name of the listing.

    Raises
    ------
    FileNotFoundError
        If the listing, or a file of its first stem, is missing.
    ValueError
        If the listing is empty.

    References
    ----------
    Hariharan et al., Semantic Contours from Inverse Detectors, ICCV 2011.
    """

    def __init__(self, root: Path, split: str = "train") -> None:
        folder = root / "dataset" if (root / "dataset").is_dir() else root
        listing = folder / f"{split}.txt"
        if not listing.is_file():
            raise FileNotFoundError(f"there is no file {listing}; expected {EXPECTED}")
        self.folder = folder
        self.stems = listing.read_text(encoding="utf-8").split()
        if not self.stems:
            raise ValueError(f"{listing} names no image; expected {EXPECTED}")
        for file in self._files(self.stems[0]):
            if not file.is_file():
                raise FileNotFoundError(f"there is no file {file}; expected {EXPECTED}")

    def draw(self, rng: np.random.Generator) -> Slice:
        """Read a photograph, in grey, and its objects."""
        image_file, object_file = self._files(self.stems[rng.integers(len(self.stems))])
        image = to_grey(read_image(image_file))
        labels = read_sbd(object_file).astype(np.int32)
        if labels.shape != image.shape:
            raise ValueError(
                f"{object_file}: shape {labels.shape}, expected that of the image, "
                f"{image.shape}"
            )
        return image.astype(np.float32) / np.float32(255), _without_faulty(labels)

    def _files(self, stem: str) -> tuple[Path, Path]:
        return self.folder / "img" / f"{stem}.jpg", self.folder / "inst" / f"{stem}.mat"


def _without_faulty(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    kept = labels.copy()
    for label, box in enumerate(ndimage.find_objects(labels), 1):
        if box is not None and (labels[box] == label).mean() < SPARSEST:
            kept[labels == label] = 0
    return kept
