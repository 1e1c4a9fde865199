"""Bilinear interpolation as PyTorch's: planes at another size, lines of new points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from napari_simpleclick.types import Roi

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stretched(
    plane: NDArray[np.float32], shape: tuple[int, int], part: Roi | None = None
) -> NDArray[np.float32]:
    """Resize a plane, bilinear between corner pixel centres.

    Parameters
    ----------
    plane : ndarray
        (h, w), float32 or float16.
    shape : tuple of int
        Height and width that it is resized to, in pixels.
    part : Roi or None
        The box of the resized plane that is wanted; None for all of it.

    Returns
    -------
    ndarray
        The part, float32.

    References
    ----------
    torch.nn.functional.interpolate, with align_corners: it places pixels in float32, a
    little differently from float64, and so does this.
    """
    box = Roi(0, shape[0] - 1, 0, shape[1] - 1) if part is None else part
    down = _weights(box.row_min, box.row_max, shape[0], plane.shape[0])
    across = _weights(box.col_min, box.col_max, shape[1], plane.shape[1])
    found: NDArray[np.float32] = down @ (across @ np.asarray(plane.T, np.float32)).T
    return found


def neighbours(
    position: NDArray[np.floating], last: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Find the two pixels that each point of a line lies between.

    Parameters
    ----------
    position : ndarray
        (n,), float: in pixels of the line, at least 0.
    last : int
        The line's last pixel; a point on it lies between it and itself.

    Returns
    -------
    index : ndarray
        (n, 2), int: the pixels.
    weights : ndarray
        (n, 2), float32: how much of each the point has; 1 together.
    """
    before = np.floor(position).astype(np.intp)
    share = (position - before).astype(np.float32)
    index = np.column_stack([before, np.minimum(before + 1, last)])
    return index, np.column_stack([1 - share, share])


def mixing(
    index: NDArray[np.intp], weights: NDArray[np.float32], count: int
) -> sparse.csr_array:
    """Return the matrix (n, count) that makes points of pixels, see `neighbours`."""
    ends = np.arange(0, index.size + 1, 2)
    parts = weights.ravel(), index.ravel(), ends
    return sparse.csr_array(parts, shape=(len(index), count))


def _weights(first: int, last: int, length: int, size: int) -> sparse.csr_array:
    """Weights of `size` pixels in some of `length`: two neighbours in each row."""
    step = np.float32(size - 1) / np.float32(max(length - 1, 1))
    position = np.arange(first, last + 1, dtype=np.float32) * step
    return mixing(*neighbours(position, size - 1), size)
