"""Segmenting a volume from clicks that are all known beforehand, slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.intensity import to_display
from napari_simpleclick.inference.session import ClickSession
from napari_simpleclick.types import Roi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.inference.predictor import Predictor
    from napari_simpleclick.inference.session import PlacedClick, Target


def segment_volume(
    volume: NDArray[np.generic],
    clicks: Sequence[PlacedClick],
    predictor: Predictor,
    *,
    limits: tuple[float, float] | None = None,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.uint16]:
    """Segment the clicked objects on the clicked slices.

    Parameters
    ----------
    volume : ndarray
        Any number of axes, at least two; bool, integer or float.
    clicks : sequence of PlacedClick
        In the order in which they take effect.
    predictor : Predictor
        Predicts one slice.
    limits : tuple of float, optional
        Values shown to the model as black and white, see `to_display`; robust
        percentiles of each slice by default.
    progress : callable, optional
        Called with the number of clicks done, after each.

    Returns
    -------
    ndarray
        Shape of the volume, uint16: the labels; 0 is the background. Where two objects
        overlap, the one that was clicked first keeps the pixel.

    Raises
    ------
    TypeError
        If the volume is complex, structured or not numeric.
    ValueError
        If a click lies outside the volume, an object's label is not from 1 to 65535, or
        the limits are out of range.
    """
    labels = np.zeros(volume.shape, dtype=np.uint16)
    targets = list(dict.fromkeys(placed.target for placed in clicks))
    _check(targets, volume.shape)
    done = 0
    for target in targets:
        image = to_display(np.asarray(volume[target.plane.index]), limits)
        session = ClickSession()
        session.replace(placed for placed in clicks if placed.target == target)
        while (request := session.next_request()) is not None:
            prediction = predictor.predict(image, request.clicks, request.previous)
            session.commit(request, prediction)
            done += 1
            if progress is not None:
                progress(done)
        final = session.prediction(target)
        if final is not None:
            mask = final.mask(predictor.threshold)
            put_object(labels[target.plane.index], target.object_id, mask)
    return labels


def put_object(
    labels: NDArray[np.integer], object_id: int, mask: NDArray[np.bool_]
) -> bool:
    """Make an object equal to a mask; pixels of other objects stay theirs.

    Parameters
    ----------
    labels : ndarray
        (H, W), integer, 0 is the background; changed in place.
    object_id : int
        Label of the object.
    mask : ndarray
        (H, W), bool.

    Returns
    -------
    bool
        Whether a pixel changed.

    Raises
    ------
    ValueError
        If the data type cannot hold the label.
    """
    largest = np.iinfo(labels.dtype).max
    if object_id > largest:
        raise ValueError(
            f"object {object_id} does not fit labels of type {labels.dtype}, which end "
            f"at {largest}"
        )
    differs = (labels == object_id) != mask
    box = Roi.around(differs)
    if box is None:
        return False
    part, wanted = labels[box.slices], mask[box.slices]
    lost = differs[box.slices] & ~wanted
    won = wanted & (part == 0)
    np.copyto(part, 0, where=lost)
    np.copyto(part, object_id, where=won)
    return bool(lost.any() or won.any())


def _check(targets: Sequence[Target], shape: tuple[int, ...]) -> None:
    highest = np.iinfo(np.uint16).max
    for target in targets:
        if not target.plane.fits(shape):
            raise ValueError(
                f"slice {target.plane} is not in a volume of shape {shape}"
            )
        if not 1 <= target.object_id <= highest:
            raise ValueError(f"object {target.object_id}, expected 1 to {highest}")
