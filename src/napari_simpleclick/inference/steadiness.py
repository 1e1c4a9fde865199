"""Finished masks stay as they are: a late click changes only what is next to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import ndimage

from napari_simpleclick.inference.transforms import clicked_pixel
from napari_simpleclick.types import Prediction, Roi

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.types import Click

AGREEMENT: Final = 0.85
"""IoU of the masks before and after a click above which the object is nearly found."""


def steady(
    new: Prediction,
    old: Prediction,
    click: Click,
    radius: tuple[float, float],
    threshold: float,
) -> Prediction:
    """Take back what a click changed elsewhere, if it changed little in all.

    While an object is being found, a click may change all of it. Once the masks before
    and after a click have an IoU of `AGREEMENT`, only the connected changes that come
    within the radius of the click are kept; what flickers elsewhere is not.

    Parameters
    ----------
    new, old : Prediction
        With and without the newest click.
    click : Click
        The newest, in pixels of the image.
    radius : tuple of float
        How near is near, in pixels along rows and columns.
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
    before, after = old.within(box), new.within(box)
    was, now = before > threshold, after > threshold
    changed = was ^ now
    most = (1 - AGREEMENT) * np.count_nonzero(was | now)
    if np.count_nonzero(changed) > most:
        return new
    far = changed & ~_touching(changed, click, box, radius)
    kept = np.where(far, before, after)
    return Prediction(kept, new.roi, box=box, shape=new.shape)


def _touching(
    changed: NDArray[np.bool_], click: Click, box: Roi, radius: tuple[float, float]
) -> NDArray[np.bool_]:
    """Find the connected changes that come near the click."""
    pieces, _ = ndimage.label(changed)
    row, col = clicked_pixel(click)
    down, across = (int(reach) + 1 for reach in radius)
    top, left = row - box.row_min, col - box.col_min
    near = pieces[
        max(top - down, 0) : max(top + down + 1, 0),
        max(left - across, 0) : max(left + across + 1, 0),
    ]
    return np.isin(pieces, near[near > 0])
