"""Data sets for evaluation, as iterators of samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from skimage.io import imread

from napari_simpleclick.inference.intensity import to_display
from napari_simpleclick.types import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_SUFFIXES = frozenset({".png", ".tif", ".tiff"})


def folder(path: str | Path) -> Iterator[Sample]:
    """Read a folder with `images/` and `masks/`: PNG or TIFF files of equal stems.

    A mask is an integer or bool image (H, W) in which 0 is background and every other
    value is an object of its own. Images are (H, W), (H, W, 3) or (H, W, 4), whose
    alpha is dropped; what is not uint8 is brought to 256 levels as the plugin does.

    Parameters
    ----------
    path : str or Path
        The folder; it is listed at once, files are read as they are reached.

    Returns
    -------
    iterator of Sample
        By stem, then by label; the name is "stem/label".

    Raises
    ------
    FileNotFoundError
        If `images` or `masks` is not there.
    TypeError
        While reading: if a mask's dtype is neither integer nor bool.
    ValueError
        If there is no image or the stems are not the same; while reading, if a mask
        is not (H, W) of the image's size.
    """
    images, masks = _by_stem(Path(path, "images")), _by_stem(Path(path, "masks"))
    if not images or images.keys() != masks.keys():
        alone = sorted(images.keys() ^ masks.keys())
        raise ValueError(
            f"path: {path} has {len(images)} images, {len(masks)} masks, unmatched "
            f"stems {alone[:5]}, expected images and masks of equal stems"
        )
    return _samples((stem, images[stem], masks[stem]) for stem in sorted(images))


def _by_stem(directory: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for file in sorted(directory.iterdir()):
        if file.suffix.lower() not in _SUFFIXES or file.name.startswith("."):
            continue
        if file.stem in files:
            raise ValueError(f"path: {files[file.stem]} and {file} have the same stem")
        files[file.stem] = file
    return files


def _samples(files: Iterable[tuple[str, Path, Path]]) -> Iterator[Sample]:
    for stem, image_file, mask_file in files:
        image, labels = _image(image_file), _labels(mask_file)
        if labels.shape != image.shape[:2]:
            raise ValueError(
                f"{mask_file}: shape {labels.shape}, expected {image.shape[:2]}"
            )
        for label in np.unique(labels[labels != 0]):
            yield Sample(f"{stem}/{label:d}", image, labels == label)


def _image(file: Path) -> NDArray[np.uint8]:
    image: NDArray[np.generic] = imread(file)
    if image.ndim == 2 and image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    return to_display(image)


def _labels(file: Path) -> NDArray[np.generic]:
    labels: NDArray[np.generic] = imread(file)
    if labels.dtype.kind not in "bui":
        raise TypeError(f"{file}: dtype {labels.dtype}, expected integer or bool")
    return labels
