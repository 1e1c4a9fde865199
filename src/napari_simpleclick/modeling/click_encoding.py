"""Click encoding: points become disks in a positive and a negative map."""

from __future__ import annotations

import torch
from torch import Tensor


def encode_clicks(points: Tensor, size: tuple[int, int], radius: int = 5) -> Tensor:
    """Draw every click as a disk.

    Parameters
    ----------
    points : Tensor
        (B, 2n, 3), float; rows are (row, col, order) in pixels. The first n are
        positive, the last n negative. Padding has a negative row and column; a click
        outside the map draws the part of its disk that reaches in.
    size : tuple of int
        Height and width of the maps, in pixels.
    radius : int
        A pixel is set where its centre lies at most this far from a click, in pixels.

    Returns
    -------
    Tensor
        (B, 2, H, W), 0 or 1, dtype and device of `points`: positive, then negative.

    Raises
    ------
    ValueError
        If `points` has another shape.

    References
    ----------
    Disks of radius 5 as in Sofiiuk et al., Reviving Iterative Training with Mask
    Guidance for Interactive Segmentation, ICIP 2022, taken over by SimpleClick.
    """
    if points.ndim != 3 or points.shape[1] % 2 or points.shape[2] != 3:
        raise ValueError(f"points: shape {tuple(points.shape)}, expected (B, 2n, 3)")
    batch, count = points.shape[0], points.shape[1] // 2
    if count == 0:
        return points.new_zeros((batch, 2, *size))
    rows, cols, _ = points.reshape(batch, 2, count, 3).unbind(-1)
    row_axis = torch.arange(size[0], dtype=points.dtype, device=points.device)
    col_axis = torch.arange(size[1], dtype=points.dtype, device=points.device)
    row_part = (row_axis - rows[..., None]) ** 2
    col_part = (col_axis - cols[..., None]) ** 2
    padding = torch.where(torch.maximum(rows, cols) < 0, torch.inf, 0.0)
    nearest = points.new_full((batch, 2, *size), torch.inf)
    for i in range(count):  # one map at a time: memory does not grow with the clicks
        distance = row_part[:, :, i, :, None] + col_part[:, :, i, None, :]
        nearest = torch.minimum(
            nearest, distance + padding[:, :, i, None, None].to(distance.dtype)
        )
    return (nearest <= radius**2).to(points.dtype)
