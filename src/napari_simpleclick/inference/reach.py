"""A click speaks for its surroundings: as far as the edge of the mask it corrects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.inference.transforms import clicked_pixel, whole
from napari_simpleclick.types import Prediction, Roi

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.types import Click

EVIDENCE: Final = 2.5
"""Natural logarithm of the odds for the clicked class that a click stands for."""
_SMALLEST: Final = 1e-6
"""Keeps odds finite."""


def reach_of(
    click: Click, previous: Prediction, threshold: float, most: float
) -> float:
    """Measure how far a click is from what has the clicked class already.

    Parameters
    ----------
    click : Click
        In pixels of the image.
    previous : Prediction
        The prediction before the click.
    threshold : float
        Of its mask, in [0, 1].
    most : float
        Where to stop, in pixels.

    Returns
    -------
    float
        In pixels, at most `most`; 0 where the click corrects nothing.
    """
    row, col = clicked_pixel(click)
    window = _around(row, col, most).shared(whole(previous.shape))
    if window is None:
        return 0.0
    mask = previous.within(window) > threshold
    rows, cols = np.nonzero(mask == click.is_positive)
    steps = np.hypot(rows + window.row_min - row, cols + window.col_min - col)
    return float(steps.min(initial=most))


def speak_for_surroundings(prediction: Prediction, click: Click, reach: float) -> None:
    """Raise the odds of the clicked class around a click.

    People click into the middle of what is wrong, where the edges of the mask and of
    the object are about equally far. So the click tells about all pixels that are
    nearer than the mask's edge; where the network is sure, it has the last word.

    Parameters
    ----------
    prediction : Prediction
        The model's answer to the click; changed in place.
    click : Click
        In pixels of the image.
    reach : float
        From `reach_of`.
    """
    row, col = clicked_pixel(click)
    window = _around(row, col, reach).shared(prediction.box)
    if window is None or not reach:
        return
    held = prediction.box
    part = prediction.inside[window.moved(-held.row_min, -held.col_min).slices]
    rows, cols = np.ogrid[: part.shape[0], : part.shape[1]]
    near = np.hypot(rows + window.row_min - row, cols + window.col_min - col) < reach
    part[near] = _shift(part[near], EVIDENCE if click.is_positive else -EVIDENCE)


def _shift(probability: NDArray[np.float32], log_odds: float) -> NDArray[np.float32]:
    likely = probability.clip(_SMALLEST, 1 - _SMALLEST)
    odds: NDArray[np.float32] = likely / (1 - likely) * np.float32(np.exp(log_odds))
    return odds / (1 + odds)


def _around(row: int, col: int, reach: float) -> Roi:
    far = int(reach) + 1
    return Roi(row - far, row + far, col - far, col + far)
