"""LabelledVolume: an image and its objects, as training keeps them in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.intensity import display_range, to_display
from napari_simpleclick.training.hounsfield import CT_WINDOW, is_ct

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = 10_000_000
"""Pixels of a larger image that its percentiles are taken of, about."""


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


def to_uint8(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale to 8 bits: CT by its soft tissue window, the rest by percentiles.

    Parameters
    ----------
    image : ndarray
        One axis or more, any real dtype. 8-bit images are returned as they are.

    Returns
    -------
    ndarray
        uint8, full range; values that are not finite as `to_display` shows them.

    Raises
    ------
    TypeError, ValueError
        If the image is complex, not numeric or empty.
    """
    if image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    limits = CT_WINDOW if is_ct(image) else display_range(image, max_samples=SAMPLES)
    return to_display(image.reshape(len(image), -1), limits).reshape(image.shape)


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
