"""Where simulated users of the training click next, a batch at a time."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

CELL = 3
"""Pixels along a side of the cells on which errors are measured."""

RANDOM_CLICKS = 0.25
"""Chance of a click anywhere on the errors instead of the middle of the largest."""


def next_clicks(masks: Tensor, predicted: Tensor, generator: torch.Generator) -> Tensor:
    """Click the middle of the largest error, sometimes a random error.

    A fast stand-in for the robot user of the evaluation: depth into an error is
    counted in erosions of coarse cells instead of by a Euclidean distance transform.

    Parameters
    ----------
    masks : Tensor
        (B, H, W), bool: the objects.
    predicted : Tensor
        (B, H, W), bool.
    generator : Generator
        Source of randomness.

    Returns
    -------
    Tensor
        (B, 3), float32: row, column, and 1 for a positive, 0 for a negative click;
        -1 where nothing is wrong.
    """
    errors = torch.stack([masks & ~predicted, predicted & ~masks], dim=1)
    depth = depth_in_cells(errors)
    device = masks.device
    chance = torch.rand(depth.shape, generator=generator, device=device)
    anywhere = torch.rand(len(masks), generator=generator, device=device)
    middle = anywhere[:, None, None, None] >= RANDOM_CLICKS
    score = (depth > 0) * chance + depth.where(middle, 0)
    rows, cols, sign = _best(score)
    return _inside_cell(errors, rows, cols, sign)


def depth_in_cells(errors: Tensor) -> Tensor:
    """Count, for every cell, the erosions until nothing is left of it.

    Parameters
    ----------
    errors : Tensor
        (B, 2, H, W), bool.

    Returns
    -------
    Tensor
        (B, 2, h, w), float32, h = ceil(H / CELL). Cells less than half full count
        less than one, empty ones 0.
    """
    filled = functional.avg_pool2d(
        errors.float(), CELL, ceil_mode=True, count_include_pad=False
    )
    left = functional.pad((filled >= 0.5).to(torch.uint8), (1, 1, 1, 1))
    depth = torch.zeros_like(left)
    while left.any():
        depth += left
        left = _eroded(left)
    inner = depth[..., 1:-1, 1:-1].float()
    return torch.maximum(inner, 0.5 * filled)


def _eroded(mask: Tensor) -> Tensor:
    """Erode by a square of three cells; a frame of one cell must be empty."""
    result = torch.zeros_like(mask)
    rows = mask[..., :-2, :] & mask[..., 1:-1, :] & mask[..., 2:, :]
    result[..., 1:-1, 1:-1] = rows[..., :-2] & rows[..., 1:-1] & rows[..., 2:]
    return result


def _best(score: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    best = score.flatten(1).argmax(dim=1)
    height, width = score.shape[2:]
    place = best % (height * width)
    return place // width, place % width, 1 - best // (height * width)


def _inside_cell(errors: Tensor, rows: Tensor, cols: Tensor, sign: Tensor) -> Tensor:
    """Take the pixel of the cell that is wrong and closest to its middle."""
    device = errors.device
    offset = torch.arange(CELL, device=device)
    near = 1 / (1 + (offset - CELL // 2).abs())
    rows = (rows[:, None] * CELL + offset).clamp(max=errors.shape[2] - 1)
    cols = (cols[:, None] * CELL + offset).clamp(max=errors.shape[3] - 1)
    users = torch.arange(len(errors), device=device)[:, None, None]
    channel = (1 - sign)[:, None, None]
    wrong = errors[users, channel, rows[:, :, None], cols[:, None, :]]
    value, best = (wrong * near[:, None] * near).flatten(1).max(dim=1)
    row = rows.gather(1, (best // CELL)[:, None])
    col = cols.gather(1, (best % CELL)[:, None])
    clicks = torch.cat([row, col, sign[:, None]], dim=1).float()
    return clicks.where(value[:, None] > 0, -1.0)
