"""draw_click_maps: what `encode_clicks` draws, quickly, for a processor."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def draw_click_maps(
    prev_mask: NDArray[np.float32], points: NDArray[np.float32], radius: int
) -> NDArray[np.float32]:
    """Stack previous masks and disks: what the network sees beside the image.

    Only the pixels around a click are looked at, so that it takes no time to speak of,
    however many clicks there are.

    Parameters
    ----------
    prev_mask : ndarray
        (B, 1, H, W), float32.
    points : ndarray
        (B, 2n, 3), float32, as for `encode_clicks`.
    radius : int
        Of the disks, in pixels.

    Returns
    -------
    ndarray
        (B, 3, H, W), float32: previous mask, positive disks, negative disks; the disks
        are exactly those of `encode_clicks`.
    """
    batch, _, height, width = prev_mask.shape
    maps = np.zeros((batch, 3, height, width), dtype=np.float32)
    maps[:, :1] = prev_mask
    per_sign = points.reshape(batch, 2, -1, 3)
    for i, sign, k in np.ndindex(per_sign.shape[:3]):
        row, col = per_sign[i, sign, k, :2]
        if max(row, col) >= 0:
            _draw_disk(maps[i, 1 + sign], row, col, radius)
    return maps


def _draw_disk(
    plane: NDArray[np.float32], row: np.float32, col: np.float32, radius: int
) -> None:
    rows = _near(row, radius, plane.shape[0])
    cols = _near(col, radius, plane.shape[1])
    distance = ((rows - row) ** 2)[:, None] + (cols - col) ** 2
    if distance.size:
        box = plane[int(rows[0]) : int(rows[-1]) + 1, int(cols[0]) : int(cols[-1]) + 1]
        box[distance <= radius**2] = 1


def _near(position: np.float32, radius: int, size: int) -> NDArray[np.float32]:
    """Pixels within the radius along one axis, and one more on either side."""
    first = max(floor(position) - radius - 1, 0)
    last = min(floor(position) + radius + 2, size - 1)
    return np.arange(first, last + 1, dtype=np.float32)
