"""The mask layer: Labels over an image, written slice by slice."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels

from napari_simpleclick.inference.volume import put_object
from napari_simpleclick.plugin.image_layer import image_shape, transforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.inference.session import ClickSession, Target
    from napari_simpleclick.types import Click

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


def check_mask_layer(labels: Labels, image: Image) -> None:
    """Refuse a Labels layer that cannot take masks of an image.

    Raises
    ------
    ValueError
        If it has another shape, several resolutions, or cannot be written to.
    """
    name, shape = labels.name, image_shape(image)
    if labels.multiscale:
        raise ValueError(
            f"Labels layer {name!r} has several resolutions: choose one with a single "
            "resolution, or a new layer."
        )
    if tuple(labels.data.shape) != shape:
        raise ValueError(
            f"Labels layer {name!r} has shape {labels.data.shape}, image "
            f"{image.name!r} has {shape}: choose a layer of the same shape."
        )
    flags = getattr(labels.data, "flags", None)
    if not hasattr(labels.data, "__setitem__") or not getattr(flags, "writeable", True):
        raise ValueError(
            f"Labels layer {name!r} cannot be changed: its data are read-only. "
            "Duplicate the layer, or choose a new one."
        )


def check_label(labels: Labels, object_id: int) -> None:
    """Refuse a label that a layer's data type cannot hold.

    Raises
    ------
    ValueError
        If the label is too high.
    """
    highest = np.iinfo(labels.data.dtype).max
    if object_id > highest:
        raise ValueError(
            f"Labels layer {labels.name!r} holds labels up to {highest} "
            f"({labels.data.dtype}), so there is no object {object_id}: use its "
            "context menu to convert the data type, then press Start again."
        )


def object_mask(labels: Labels, target: Target) -> NDArray[np.bool_]:
    """Return the pixels of an object on a slice of a Labels layer: (H, W), bool."""
    pixels = np.asarray(labels.data[target.plane.index])
    mask: NDArray[np.bool_] = pixels == target.object_id
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


class MaskPainter:
    """Keeps the masks of a session in a Labels layer, and sees what is drawn by hand.

    Parameters
    ----------
    labels : Labels
        The layer.
    session : ClickSession
        Says what every target looks like, and is told what was drawn.
    """

    def __init__(self, labels: Labels, session: ClickSession) -> None:
        self._labels = labels
        self._session = session
        self._painted: dict[Target, tuple[tuple[Click, ...], bytes]] = {}

    def adopt(self, target: Target) -> None:
        """Tell the session what was drawn by hand since a target was painted."""
        drawn = object_mask(self._labels, target)
        clicks, painted = self._painted.get(target, ((), b""))
        if _fingerprint(drawn) != painted:
            self._session.set_mask(target, clicks, drawn)
            self._painted[target] = clicks, _fingerprint(drawn)

    def paint(
        self, target: Target, threshold: float, *, is_partial: bool = False
    ) -> None:
        """Make a target of the layer what the session says of it.

        Parameters
        ----------
        target : Target
            What to paint.
        threshold : float
            In [0, 1]; the probability above which a pixel is in the mask.
        is_partial : bool
            Whether to paint the mask of some clicks while that of all is to come.
        """
        clicks = self._session.clicks_of(target)
        count, prediction = self._session.answer(target)
        if count < len(clicks) and not (is_partial and count):
            return
        if prediction is not None:
            mask = prediction.mask(threshold)
        else:
            mask = np.zeros_like(object_mask(self._labels, target))
        write_mask(self._labels, target, mask)
        seen = _fingerprint(object_mask(self._labels, target))
        self._painted[target] = clicks[:count], seen


def _fingerprint(mask: NDArray[np.bool_]) -> bytes:
    """Tell masks of one shape apart; empty for an empty mask."""
    return blake2b(np.packbits(mask).tobytes()).digest() if mask.any() else b""
