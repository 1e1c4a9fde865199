"""robot_user_clicks: a batch of clicks by the robot user of the evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_simpleclick.evaluation.robot_user import next_click
from napari_simpleclick.training.row_threads import for_each_row
from napari_simpleclick.types import Click

if TYPE_CHECKING:
    from torch import Tensor


def robot_user_clicks(
    masks: Tensor, predicted: Tensor, clicks: Tensor, counts: Tensor, extents: Tensor
) -> Tensor:
    """Click on what is wrong as at evaluation, see `evaluation.robot_user`.

    Parameters
    ----------
    masks, predicted : Tensor
        (B, C, C), bool, on the CPU like all others: the objects and the answers.
    clicks : Tensor
        (B, n, 3): row, column, and 1 for a positive click.
    counts : Tensor
        (B,): how many of them were made before.
    extents : Tensor
        (B,): sides of the images on the canvases, in pixels.

    Returns
    -------
    Tensor
        (B, 3), float32: row, column, and 1 for a positive, 0 for a negative click.
    """
    made = np.empty((len(masks), 3), np.float32)
    rows = zip(
        made,
        masks.numpy(),
        predicted.numpy(),
        clicks.tolist(),
        counts.tolist(),
        extents.tolist(),
        strict=True,
    )

    def click_on(row: Any) -> None:
        result, mask, answer, before, count, side = row
        history = [Click(row, col, sign > 0) for row, col, sign in before[:count]]
        click = next_click(mask[:side, :side], answer[:side, :side], history)
        result[:] = click.row, click.col, click.is_positive

    for_each_row(click_on, rows)
    return torch.from_numpy(made)
