"""corrected: a model's answer, after its clicks have had their say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from napari_simpleclick.inference.obedience import obedient
from napari_simpleclick.inference.reach import reach_of, speak_for_surroundings
from napari_simpleclick.inference.steadiness import settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_simpleclick.types import Click, Prediction, Roi

OBEYED: Final = 3 / 448
"""Radius of what is sure about a click, in sides of the crop."""
NEAR: Final = 12 / 448
"""Radius of what is next to a click, in sides of the crop."""
FARTHEST: Final = 45 / 448
"""Radius of the most that a click speaks for, in sides of the crop."""


def corrected(
    prediction: Prediction,
    clicks: Sequence[Click],
    previous: Prediction | None,
    *,
    obey: bool,
    steady: bool,
    threshold: float,
) -> Prediction:
    """Correct what a model answered.

    Parameters
    ----------
    prediction : Prediction
        With the crop that the model saw; its probabilities may be changed in place.
    clicks : sequence of Click
        All clicks so far, in the order in which they were made.
    previous : Prediction or None
        The prediction before the last click.
    obey : bool
        Give clicked pixels the clicked class, and what is around them the more
        readily, see `inference.reach`.
    steady : bool
        Let late clicks change little of what is far from them, see `settled`.
    threshold : float
        In [0, 1]; of the masks.
    """
    roi = prediction.roi
    if roi is None or not clicks:
        return prediction
    if obey:
        if previous is not None:
            most = max(radius_in(roi, FARTHEST))
            reach = reach_of(clicks[-1], previous, threshold, most)
            speak_for_surroundings(prediction, clicks[-1], reach)
        prediction = obedient(prediction, clicks, radius_in(roi, OBEYED))
    # A mask without a roi was drawn: there, a click may change anything.
    if steady and len(clicks) > 1 and previous is not None and previous.roi:
        return settled(
            prediction,
            previous,
            clicks,
            near=radius_in(roi, NEAR),
            around=radius_in(roi, FARTHEST),
            threshold=threshold,
        )
    return prediction


def radius_in(roi: Roi, share: float) -> tuple[float, float]:
    """Give a part of a crop's side in pixels of the image, along rows and columns."""
    height, width = roi.shape
    return height * share, width * share
