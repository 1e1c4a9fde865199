"""Masks settle: the later a click, the less it changes of what is far from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import ndimage
from scipy.special import expit, logit
from skimage import morphology

from napari_simpleclick.inference.transforms import box_around, clicked_pixel
from napari_simpleclick.types import Prediction, Roi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.types import Click

    Map = NDArray[np.float32]

AGREEMENT: Final = 0.85
"""IoU of the masks before and after a click above which the object is nearly found."""
LATE: Final = 6
"""Number of clicks from which the masks before and after one are averaged."""
SMALLEST: Final = 1e-4
"""Keeps log odds within what a network can tell."""


def settled(
    new: Prediction,
    old: Prediction,
    clicks: Sequence[Click],
    *,
    near: tuple[float, float],
    around: tuple[float, float],
    threshold: float,
) -> Prediction:
    """Take back, or average, what a click changed far from it.

    While an object is being found, a click may change all of it. Once the masks before
    and after a click have an IoU of `AGREEMENT`, only the connected changes that come
    near the click are kept; what flickers elsewhere is not. If they still differ by
    more after `LATE` clicks, the image does not show where the object ends, and every
    answer is a guess at it: then what changed far from the click gets the mean of the
    log odds of before and after.

    Parameters
    ----------
    new, old : Prediction
        With and without the newest click; the probabilities of the new one may be
        changed in place.
    clicks : sequence of Click
        All, in the order in which they were made, in pixels of the image.
    near : tuple of float
        Radius of what is next to a click, in pixels along rows and columns.
    around : tuple of float
        Radius of what is not averaged at all, in the same pixels; at twice as far, both
        masks count alike.
    threshold : float
        Of the masks, in [0, 1].

    Returns
    -------
    Prediction
        `new`, or one like it on a box that holds both.

    References
    ----------
    Chen et al., FocalClick, CVPR 2022, merges a prediction into a mask in a similar way
    (progressive merge), for masks that were there before the first click.
    """
    box = new.box.joined(old.box)
    was, now = (_mask(one, box, threshold) for one in (old, new))
    changed = was ^ now
    most = (1 - AGREEMENT) * np.count_nonzero(was | now)
    is_nearly_found = np.count_nonzero(changed) <= most
    if not is_nearly_found and len(clicks) < LATE:
        return new
    before, after = old.within(box), new.within(box)
    if is_nearly_found:
        span = Roi.around(changed)
        if span is not None:
            part = changed[span.slices]
            place = span.moved(box.row_min, box.col_min)
            far = part & ~_touching(part, clicks[-1], place, near)
            np.copyto(after[span.slices], before[span.slices], where=far)
    else:
        _average(before, after, changed, clicks[-1], box, around)
    return Prediction(after, new.roi, box=box, shape=new.shape)


def _mask(prediction: Prediction, box: Roi, threshold: float) -> NDArray[np.bool_]:
    """Return the mask in a box that holds all of it."""
    mask = np.zeros(box.shape, bool)
    place = prediction.box.moved(-box.row_min, -box.col_min)
    np.greater(prediction.inside, threshold, out=mask[place.slices])
    return mask


def _touching(
    changed: NDArray[np.bool_], click: Click, box: Roi, radius: tuple[float, float]
) -> NDArray[np.bool_]:
    """Find the connected changes that come near the click."""
    down, across = (int(reach) + 1 for reach in radius)
    around = box_around(click, down, across).shared(box)
    found = np.zeros_like(changed)
    if around is None:
        return found
    window = around.moved(-box.row_min, -box.col_min)
    near = changed[window.slices]
    # Whatever leaves the window is followed from its border, piece by piece: to label
    # all pieces of the box takes ten times as long.
    pieces, _ = ndimage.label(near)
    pieces[1:-1, 1:-1] = 0
    numbers, places = np.unique(pieces, return_index=True)
    rows, cols = np.unravel_index(places[numbers > 0], window.shape)
    for seed in zip(rows + window.row_min, cols + window.col_min, strict=True):
        if not found[seed]:
            found |= morphology.flood(changed, seed, connectivity=1)
    found[window.slices] = near
    return found


def _average(
    before: Map,
    after: Map,
    changed: NDArray[np.bool_],
    click: Click,
    box: Roi,
    around: tuple[float, float],
) -> None:
    """Average the log odds of what changed, the farther from the click the more.

    The answer takes the place of `after`.
    """
    (row, col), (down, across) = clicked_pixel(click), around
    rows, cols = np.nonzero(changed)
    away = np.hypot(
        (rows + box.row_min - row) / down, (cols + box.col_min - col) / across
    )
    share = np.clip(1.5 - away / 2, 0.5, 1)
    old, new = (
        logit(odds[changed].clip(SMALLEST, 1 - SMALLEST)) for odds in (before, after)
    )
    after[changed] = expit(share * new + (1 - share) * old)
