"""Zoom-in for a batch of canvases: boxes around predictions, and the views they give.

A box is (row, column, row, column) in pixels of a canvas, first corner inclusive,
second exclusive.
"""

from __future__ import annotations

import torch
from torch import Tensor

EXPANSION = 1.4
"""Side of a box over that of the prediction; `expansion_ratio` as published."""

RECOMPUTE_IOU = 0.9
"""A box is kept while its IoU with the new one is at least this. The published
evaluation has 0.5; a box that follows the mask closely is used better."""


def boxes_around(
    predicted: Tensor, clicks: Tensor, smallest: Tensor, margin: Tensor, extent: Tensor
) -> Tensor:
    """Lay expanded boxes around predictions and positive clicks.

    Parameters
    ----------
    predicted : Tensor
        (B, C, C), bool.
    clicks : Tensor
        (B, n, 3), float: row, column, and 1 for a positive click.
    smallest : Tensor
        (B,), float: shortest side of a box in pixels.
    margin : Tensor
        (B, 2), float: factor on the expansion, along rows and columns.
    extent : Tensor
        (B,): sides of the images on the canvases, in pixels.

    Returns
    -------
    Tensor
        (B, 4), float, within the images.
    """
    side = predicted.shape[-1]
    low, high = bounds(predicted)
    places, positive = clicks[..., :2], clicks[..., 2:] > 0
    low = torch.minimum(low, places.where(positive, side).amin(dim=1))
    high = torch.maximum(high, places.where(positive, -1).amax(dim=1) + 1)
    centre, wanted = (low + high) / 2, (high - low) * EXPANSION * margin
    half = torch.maximum(wanted, smallest[:, None]) / 2
    low = (centre - half).clamp(min=0).round()
    high = torch.minimum(centre + half, extent[:, None]).round()
    return torch.cat([low, high], dim=1)


def is_stale(box: Tensor, wanted: Tensor, clicks: Tensor) -> Tensor:
    """Tell whether boxes have to move: too different, or left by a positive click.

    Parameters
    ----------
    box, wanted : Tensor
        (B, 4), float: the boxes in use and those around the last prediction.
    clicks : Tensor
        (B, 3), float: the newest clicks.

    Returns
    -------
    Tensor
        (B,), bool.
    """
    inside = (clicks[:, :2] >= box[:, :2]) & (clicks[:, :2] < box[:, 2:])
    left = (clicks[:, 2] > 0) & ~inside.all(dim=1)
    return left | (box_iou(wanted, box) < RECOMPUTE_IOU)


def bounds(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first and one past the last row and column of masks (B, H, W).

    Returns
    -------
    low, high : Tensor
        (B, 2), float. An empty mask gives low = (H, W), high = (0, 0).
    """
    low, high = [], []
    for axis in (2, 1):
        hit = mask.any(dim=axis)
        line = torch.arange(hit.shape[1], device=mask.device)
        low.append(line.where(hit, hit.shape[1]).amin(dim=1))
        high.append(line.where(hit, -1).amax(dim=1) + 1)
    return torch.stack(low, dim=1).float(), torch.stack(high, dim=1).float()


def box_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU of boxes (B, 4), pair by pair: (B,)."""
    low = torch.maximum(first[:, :2], second[:, :2])
    high = torch.minimum(first[:, 2:], second[:, 2:])
    overlap = (high - low).clamp(min=0).prod(dim=1)
    areas = [(box[:, 2:] - box[:, :2]).prod(dim=1) for box in (first, second)]
    return overlap / (areas[0] + areas[1] - overlap)


def view_grid(box: Tensor, side: int, size: int) -> Tensor:
    """Tell where in the canvas each pixel of the view lies.

    As `inference.crops` does it, the corner pixels of the view are those of the box.

    Parameters
    ----------
    box : Tensor
        (B, 4), float.
    side, size : int
        Side of canvas and view in pixels.

    Returns
    -------
    Tensor
        (B, size, size, 2), float: for `grid_sample` with `align_corners=True`.
    """
    line = torch.arange(size, device=box.device) / (size - 1)
    low, last = box[:, :2, None], box[:, 2:, None] - 1
    return _grid((low + (last - low) * line) / (side - 1) * 2 - 1)


def canvas_grid(box: Tensor, side: int) -> Tensor:
    """Tell where in the view each pixel of the canvas lies: the way back.

    Returns
    -------
    Tensor
        (B, side, side, 2), float; beyond -1 and 1 outside the box.
    """
    line = torch.arange(side, device=box.device)
    low, last = box[:, :2, None], box[:, 2:, None] - 1
    return _grid((line - low) / (last - low) * 2 - 1)


def in_view(places: Tensor, box: Tensor, size: int) -> Tensor:
    """Say where pixels of the canvas lie in the view.

    Parameters
    ----------
    places : Tensor
        (B, n, 2), float: row, column in pixels of the canvas.
    box : Tensor
        (B, 4), float.
    size : int
        Side of the view in pixels.

    Returns
    -------
    Tensor
        (B, n, 2), float, in pixels of the view; beyond them outside the box.
    """
    low, last = box[:, None, :2], box[:, None, 2:] - 1
    return (places - low) / (last - low) * (size - 1)


def _grid(lines: Tensor) -> Tensor:
    rows, cols = lines.unbind(dim=1)
    shape = (len(rows), rows.shape[1], cols.shape[1])
    return torch.stack(
        [cols[:, None, :].expand(shape), rows[:, :, None].expand(shape)], dim=-1
    )
