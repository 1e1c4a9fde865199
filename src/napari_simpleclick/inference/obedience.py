"""Clicks are obeyed: the clicked pixels get the clicked class, whatever the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.transforms import box_around, clicked_pixel, whole
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
    clicks, box = tuple(clicks), prediction.box
    for click in clicks:
        near = _around(click, radius).shared(whole(prediction.shape))
        if click.is_positive and near is not None:
            box = box.joined(near)
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
        around = _around(click, radius)
        window = around.shared(whole(probability.shape))
        if window is None:
            continue
        box = probability[window.slices]
        rows, cols = np.ogrid[window.slices]
        height, width = around.shape
        near = (2 * (rows - row) / height) ** 2 + (2 * (cols - col) / width) ** 2 <= 1
        if click.is_positive:
            box[near] = np.maximum(box[near], CONFIDENCE)
        else:
            box[near] = np.minimum(box[near], 1 - CONFIDENCE)


def _around(click: Click, radius: tuple[float, float]) -> Roi:
    down, across = (max(int(reach), 0) for reach in radius)
    return box_around(click, down, across)
