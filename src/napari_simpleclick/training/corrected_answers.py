"""corrected_answers: a batch of answers, as their users get to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_simpleclick.inference.corrections import corrected
from napari_simpleclick.training.click_source import THRESHOLD
from napari_simpleclick.types import Click, Prediction, Roi

if TYPE_CHECKING:
    from torch import Tensor


def corrected_answers(
    answers: Tensor,
    before: Tensor,
    boxes: Tensor,
    clicks: Tensor,
    counts: Tensor,
    *,
    obey: bool,
    steady: bool,
) -> Tensor:
    """Do to answers what is done to them in use, see `inference.corrections`.

    Parameters
    ----------
    answers : Tensor
        (B, C, C), float32 in [0, 1]: probability on the users' canvases.
    before : Tensor
        (B, C, C), uint8: 255 times the probability before the last clicks.
    boxes : Tensor
        (B, 4): what the network saw, (row, column, row, column), in pixels of a canvas,
        first corner inclusive, second exclusive.
    clicks : Tensor
        (B, n, 3): row, column, and 1 for a positive click.
    counts : Tensor
        (B,): how many of them were made, at least 1.
    obey, steady : bool
        As for `corrected`.

    Returns
    -------
    Tensor
        (B, C, C), float32, on the device of the answers.
    """
    pixels = answers.detach().cpu().numpy().copy()
    rows = zip(
        pixels,
        before.cpu().numpy(),
        boxes.int().tolist(),
        clicks.tolist(),
        counts.tolist(),
        strict=True,
    )
    for answer, last, (top, left, bottom, right), made, count in rows:
        roi = Roi(top, bottom - 1, left, right - 1)
        previous = Prediction(last.astype(np.float32) / 255, roi)
        answer[:] = corrected(
            Prediction(answer, roi),
            [Click(row, col, sign > 0) for row, col, sign in made[:count]],
            previous if count > 1 else None,
            obey=obey,
            steady=steady,
            threshold=THRESHOLD,
        ).probability
    return torch.from_numpy(pixels).to(answers.device)
