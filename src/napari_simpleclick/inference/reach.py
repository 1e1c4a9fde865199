"""A click speaks for its surroundings: as far as the edge of the mask it corrects."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit, logit

from napari_simpleclick.inference.transforms import box_around, clicked_pixel, whole

if TYPE_CHECKING:
    from napari_simpleclick.types import Click, Prediction, Roi

EVIDENCE: Final = 5.0
"""Natural logarithm of the odds for the clicked class, at the click."""
SMALLEST: Final = 1e-6
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
    window = _within_reach(click, most).shared(whole(previous.shape))
    if window is None:
        return 0.0
    mask = previous.within(window) > threshold
    rows, cols = np.ogrid[window.slices]
    squares = (rows - row) ** 2.0 + (cols - col) ** 2.0
    is_right = mask == click.is_positive
    return math.sqrt(squares.min(where=is_right, initial=most**2))


def speak_for_surroundings(prediction: Prediction, click: Click, reach: float) -> None:
    """Raise the odds of the clicked class around a click.

    People click into the middle of what is wrong, where the edges of the mask and of
    the object are about equally far. So a click is evidence for all pixels that are
    nearer than the mask's edge, the less the farther they are. Where the network is
    sure, as beside a thin vessel, it has the last word.

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
    window = _within_reach(click, reach).shared(prediction.box)
    if window is None or not reach:
        return
    part = prediction.within(window)
    rows, cols = np.ogrid[window.slices]
    away = np.hypot(rows - row, cols - col)
    near = away < reach
    evidence = EVIDENCE * (1 - away[near] / reach)
    log_odds = logit(part[near].clip(SMALLEST, 1 - SMALLEST))
    part[near] = expit(log_odds + (evidence if click.is_positive else -evidence))


def _within_reach(click: Click, reach: float) -> Roi:
    far = int(reach) + 1
    return box_around(click, far, far)
