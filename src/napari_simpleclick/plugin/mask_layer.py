"""The mask layer: Labels over an image, written slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels

from napari_simpleclick.inference.volume import put_object
from napari_simpleclick.plugin.image_layer import image_shape, transforms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_simpleclick.inference.session import ClickSession, Target

MASK_NAME = "SimpleClick"


def new_mask_layer(image: Image) -> Labels:
    """Make an empty Labels layer over an image; it keeps the image's metadata."""
    return Labels(
        np.zeros(image_shape(image), dtype=np.uint16),
        name=MASK_NAME,
        metadata=dict(image.metadata),
        **transforms(image),
    )


def highest_label(labels: Labels) -> int:
    """Return the highest label in a layer, 0 where there is none."""
    return int(np.max(labels.data))


def object_mask(labels: Labels, target: Target) -> NDArray[np.bool_]:
    """Return the pixels of an object on a slice of a Labels layer: (H, W), bool."""
    pixels = np.asarray(labels.data[target.plane.index])
    mask: NDArray[np.bool_] = pixels == target.object_id
    return mask


def other_mask(labels: Labels, target: Target) -> NDArray[np.bool_]:
    """Return the pixels of all other objects on a slice: (H, W), bool."""
    pixels = np.asarray(labels.data[target.plane.index])
    mask: NDArray[np.bool_] = (pixels != target.object_id) & (pixels != 0)
    return mask


def write_mask(labels: Labels, target: Target, mask: NDArray[np.bool_]) -> bool:
    """Make an object on a slice of a Labels layer equal to a mask.

    Pixels of other objects stay theirs. napari's own undo history is not touched.

    Parameters
    ----------
    labels : Labels
        The layer.
    target : Target
        Object and slice.
    mask : ndarray
        (H, W), bool.

    Returns
    -------
    bool
        Whether a pixel changed.

    Raises
    ------
    ValueError
        If the layer's data type cannot hold the object's label.
    """
    pixels = np.array(labels.data[target.plane.index])
    if not put_object(pixels, target.object_id, mask):
        return False
    labels.data[target.plane.index] = pixels
    labels.refresh(extent=False)
    return True


def clear_mask(labels: Labels, target: Target) -> bool:
    """Take an object off a slice; return whether a pixel changed."""
    return write_mask(labels, target, np.zeros_like(object_mask(labels, target)))


def paint(
    labels: Labels, session: ClickSession, targets: Iterable[Target], threshold: float
) -> None:
    """Make targets of a Labels layer what a session says of them.

    Parameters
    ----------
    labels : Labels
        The layer.
    session : ClickSession
        Its predictions; a target without clicks and without a mask before them is
        cleared, one whose first prediction is still to come is left.
    targets : iterable of Target
        What to paint.
    threshold : float
        In [0, 1]; the probability above which a pixel is in the mask.
    """
    for target in targets:
        prediction = session.prediction(target)
        if prediction is not None:
            write_mask(labels, target, prediction.mask(threshold))
        elif not session.clicks_of(target):
            clear_mask(labels, target)


def adopt_strokes(
    labels: Labels, session: ClickSession, target: Target, threshold: float
) -> None:
    """Tell a session what was painted by hand: the next click builds on it.

    Parameters
    ----------
    labels : Labels
        The layer.
    session : ClickSession
        The session that painted it, see `paint`.
    target : Target
        What to compare with the session's own mask.
    threshold : float
        As for `paint`.
    """
    drawn = object_mask(labels, target)
    prediction = session.prediction(target)
    if prediction is None:
        if not session.clicks_of(target):
            session.set_mask(target, drawn)
        return
    painted = prediction.mask(threshold) & ~other_mask(labels, target)
    if not np.array_equal(drawn, painted):
        session.set_mask(target, drawn)
