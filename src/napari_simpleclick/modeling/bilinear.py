"""stretched: a plane at another size, as PyTorch's bilinear interpolation makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.types import Roi

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS: Final = 64
"""Rows that are computed at a time, so that they stay in the processor's cache."""


def stretched(
    plane: NDArray[np.float32], shape: tuple[int, int], part: Roi | None = None
) -> NDArray[np.float32]:
    """Resize a plane, bilinear between corner pixel centres.

    Parameters
    ----------
    plane : ndarray
        (h, w), float32.
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
    top, bottom, down = _source(box.row_min, box.row_max, shape[0], plane.shape[0])
    left, right, across = _source(box.col_min, box.col_max, shape[1], plane.shape[1])
    columns = blend(plane.take(left, axis=1), plane.take(right, axis=1), across)
    found = np.empty(box.shape, dtype=np.float32)
    for first in range(0, len(found), _ROWS):
        rows = slice(first, first + _ROWS)
        near = columns.take(top[rows], axis=0)
        far = columns.take(bottom[rows], axis=0, out=found[rows], mode="clip")
        blend(near, far, down[rows, None])
    return found


def blend(
    near: NDArray[np.float32], far: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return near + weight * (far - near), in the memory of `far`."""
    far -= near
    far *= weight
    far += near
    return far


def _source(
    first: int, last: int, length: int, size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Neighbours in `size` pixels of some of `length`, and the right one's weight."""
    step = np.float32(size - 1) / np.float32(max(length - 1, 1))
    position = np.arange(first, last + 1, dtype=np.float32) * step
    left = np.floor(position).astype(np.intp)
    return left, np.minimum(left + 1, size - 1), position - left.astype(np.float32)
