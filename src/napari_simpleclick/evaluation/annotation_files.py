"""Reading of images and annotations in the formats of the public data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.io import loadmat
from skimage.io import imread

from napari_simpleclick.inference.intensity import to_display

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def read_pixels(file: Path) -> NDArray[np.generic]:
    """Read an image as it is stored, (H, W) or (H, W, C), any dtype.

    Raises
    ------
    ValueError
        If the file is broken, or of another format than its name says.
    """
    try:
        image: NDArray[np.generic] = imread(file)
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises, too
        raise ValueError(
            f"{file} cannot be read, expected an image as its name says: {error}"
        ) from error
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
    """Read a label image, (H, W), integer or bool.

    Raises
    ------
    TypeError, ValueError
        If its dtype is another, or the file is broken.
    """
    labels = read_pixels(file)
    if labels.dtype.kind not in "bui":
        raise TypeError(f"{file}: dtype {labels.dtype}, expected integer or bool")
    return labels


def read_brightness(file: Path) -> NDArray[np.generic]:
    """Read a mask that may be stored in colour: (H, W), the brightest channel."""
    mask = read_labels(file)
    brightest: NDArray[np.generic] = mask[..., :3].max(2) if mask.ndim == 3 else mask
    return brightest


def read_palette(file: Path) -> NDArray[np.generic]:
    """Read the indices, (H, W), uint8, of an image that has a palette."""
    with Image.open(file) as image:
        if image.mode not in ("P", "L"):
            raise ValueError(f"{file}: mode {image.mode}, expected a palette")
        return np.asarray(image)


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
