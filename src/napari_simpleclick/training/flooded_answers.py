"""flooded_answers: first answers as the network sees them at its second look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_simpleclick.inference.flooding import flooded
from napari_simpleclick.training.click_source import THRESHOLD
from napari_simpleclick.training.row_threads import for_each_row
from napari_simpleclick.types import Click, Prediction, Roi

if TYPE_CHECKING:
    from torch import Tensor


def flooded_answers(
    answers: Tensor, images: Tensor, clicks: Tensor, boxes: Tensor, extents: Tensor
) -> Tensor:
    """Mix floodings into answers to a first click, see `inference.flooding`.

    Parameters
    ----------
    answers : Tensor
        (B, C, C), uint8, on the CPU like all others: 255 times the probability on the
        users' canvases.
    images : Tensor
        (B, C, C), uint8.
    clicks : Tensor
        (B, 3): row, column, and 1 for a positive click.
    boxes : Tensor
        (B, 4): where the answers zoom in to, (row, column, row, column), in pixels of
        a canvas, first corner inclusive, second exclusive.
    extents : Tensor
        (B,): sides of the images on the canvases, in pixels.

    Returns
    -------
    Tensor
        (B, C, C), uint8.
    """
    mixed = answers.numpy().copy()
    rows = zip(
        mixed,
        images.numpy(),
        clicks.tolist(),
        boxes.int().tolist(),
        extents.tolist(),
        strict=True,
    )

    def flood(row: Any) -> None:
        answer, image, (clicked_row, col, sign), (top, left, bottom, right), side = row
        seen = answer[:side, :side]
        prediction = flooded(
            Prediction(seen.astype(np.float32) / 255),
            image[:side, :side],
            [Click(clicked_row, col, sign > 0)],
            Roi(top, bottom - 1, left, right - 1),
            THRESHOLD,
        )
        seen[:] = np.rint(prediction.probability * 255)

    for_each_row(flood, rows)
    return torch.from_numpy(mixed)
