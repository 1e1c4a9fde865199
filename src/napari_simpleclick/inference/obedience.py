"""Clicks are obeyed: the clicked pixels get the clicked class, whatever the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.transforms import clicked_pixel
from napari_simpleclick.types import Click, Prediction, Roi

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

CONFIDENCE = 0.75
"""Least probability of the clicked class around a click."""


def obedient(
    prediction: Prediction, clicks: Iterable[Click], radius: tuple[float, float]
) -> Prediction:
    """Return a prediction corrected around clicks, see `obey_clicks`.

    Parameters
    ----------
    prediction : Prediction
        What a model answered; its probabilities may be changed in place.
    clicks : iterable of Click
        In pixels of the image.
    radius : tuple of float
        As for `obey_clicks`, in pixels of the image.
    """
    held, (down, across) = prediction.box, (max(int(reach), 0) for reach in radius)
    box = Roi(
        max(held.row_min - down, 0),
        min(held.row_max + down, prediction.shape[0] - 1),
        max(held.col_min - across, 0),
        min(held.col_max + across, prediction.shape[1] - 1),
    )
    inside = prediction.within(box)
    moved = [
        Click(click.row - box.row_min, click.col - box.col_min, click.is_positive)
        for click in clicks
    ]
    obey_clicks(inside, moved, radius)
    return Prediction(inside, prediction.roi, box=box, shape=prediction.shape)


def obey_clicks(
    probability: NDArray[np.float32],
    clicks: Iterable[Click],
    radius: tuple[float, float],
) -> None:
    """Correct a probability map around clicks; where two meet, the later one counts.

    Parameters
    ----------
    probability : ndarray
        (H, W), float32 in [0, 1]; changed in place.
    clicks : iterable of Click
        In pixels of the map, in the order in which they were made; they may lie
        outside.
    radius : tuple of float
        Half axes of the ellipse around a click, along rows and columns, in pixels. The
        clicked pixel itself is always in it.
    """
    for click in clicks:
        row, col = clicked_pixel(click)
        down, across = (max(int(reach), 0) for reach in radius)
        top, left = max(row - down, 0), max(col - across, 0)
        bottom, right = max(row + down + 1, 0), max(col + across + 1, 0)
        box = probability[top:bottom, left:right]
        rows, cols = np.ogrid[: box.shape[0], : box.shape[1]]
        near = ((rows + top - row) / (down + 0.5)) ** 2 + (
            (cols + left - col) / (across + 0.5)
        ) ** 2 <= 1
        if click.is_positive:
            box[near] = np.maximum(box[near], CONFIDENCE)
        else:
            box[near] = np.minimum(box[near], 1 - CONFIDENCE)
