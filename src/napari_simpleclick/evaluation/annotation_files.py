"""Reading of images and annotations in the formats of the public data sets."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.io import loadmat
from skimage.io import imread

from napari_simpleclick.inference.intensity import to_display
from napari_simpleclick.io import tiff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def by_stem(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """List the files of a folder by their names without the suffix.

    Parameters
    ----------
    folder : Path
        An existing one.
    suffixes : tuple of str
        Files with others, and hidden ones, are passed over.

    Raises
    ------
    ValueError
        If two files have one stem.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in suffixes or file.name.startswith("."):
            continue
        if file.stem in found:
            raise ValueError(f"path: {found[file.stem]} and {file} have the same stem")
        found[file.stem] = file
    return found


def read_pixels(file: Path) -> NDArray[np.generic]:
    """Read an image as it is stored, (H, W) or (H, W, C), any dtype.

    Raises
    ------
    ValueError
        If the file is broken, or of another format than its name says.
    """
    with _naming(file):
        image: NDArray[np.generic] = imread(file)
    return image


def read_image(file: Path) -> NDArray[np.uint8]:
    """Read an image as the network sees it.

    Returns
    -------
    ndarray
        (H, W) or (H, W, 3), uint8; what is not uint8 is brought to 256 levels as the
        plugin does, alpha is dropped.

    Raises
    ------
    TypeError, ValueError
        If the file is broken, of another format than its name says, or no image (H, W)
        or (H, W, colours).
    """
    image = read_pixels(file)
    if image.ndim == 2 and image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    try:
        return to_display(image)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{file}: {error}") from error


def read_labels(file: Path) -> NDArray[np.generic]:
    """Read a label image, (H, W), integer or bool; by index if it has a palette.

    Raises
    ------
    TypeError, ValueError
        If its dtype is another, or the file is broken.
    """
    return _integers(
        file, read_palette(file) if _has_palette(file) else read_pixels(file)
    )


def read_brightness(file: Path) -> NDArray[np.generic]:
    """Read a mask that may be stored in colour: (H, W), the brightest channel."""
    mask = _integers(file, read_pixels(file))
    brightest: NDArray[np.generic] = mask[..., :3].max(2) if mask.ndim == 3 else mask
    return brightest


def read_palette(file: Path) -> NDArray[np.generic]:
    """Read the indices, (H, W), uint8, of an image that has a palette."""
    with _naming(file), Image.open(file) as image:
        mode, indices = image.mode, np.asarray(image)
    if mode not in ("P", "L"):
        raise ValueError(f"{file}: mode {mode}, expected a palette")
    return indices


def read_sbd(file: Path) -> NDArray[np.generic]:
    """Read the instances, (H, W), integer, of a MATLAB file of SBD.

    Raises
    ------
    ValueError
        If the file has no instances.
    """
    content = loadmat(file, squeeze_me=True, struct_as_record=False)
    if not hasattr(content.get("GTinst"), "Segmentation"):
        raise ValueError(f"{file}: expected GTinst.Segmentation, as SBD has it")
    return np.asarray(content["GTinst"].Segmentation)


def _has_palette(file: Path) -> bool:
    """Say whether `read_pixels` would look up colours; in TIFF files it does not."""
    if file.suffix.lower() in tiff.SUFFIXES:
        return False
    with _naming(file), Image.open(file) as image:
        return bool(image.mode == "P")


def _integers(file: Path, labels: NDArray[np.generic]) -> NDArray[np.generic]:
    if labels.dtype.kind not in "bui":
        raise TypeError(f"{file}: dtype {labels.dtype}, expected integer or bool")
    return labels


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Turn what Pillow and others raise into a sentence that names the file."""
    try:
        yield
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"{file} cannot be read, expected an image as its name says: {error}"
        ) from error
