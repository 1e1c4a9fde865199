"""MaskPainter: the masks of a session in a Labels layer, and what is drawn by hand."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from napari_simpleclick.plugin.mask_layer import object_mask, show_part, write_mask
from napari_simpleclick.plugin.packed_mask import PackedMask
from napari_simpleclick.types import Roi

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.components import Dims
    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_history import PlacedClicks
    from napari_simpleclick.inference.session import ClickSession, Target
    from napari_simpleclick.types import Click

Fingerprint: TypeAlias = tuple[Roi, bytes] | None
"""Tells masks of one shape apart; None for an empty mask."""


class _Painted(NamedTuple):
    """What was painted last: the mask of these clicks, but for what others held."""

    clicks: tuple[Click, ...]
    threshold: float
    look: Fingerprint
    denied: PackedMask | None = None


class _Wanted(NamedTuple):
    """The mask of some clicks with its box, and what of it to leave to others."""

    clicks: tuple[Click, ...]
    found: tuple[NDArray[np.bool_], Roi] | None
    spared: PackedMask | None


_NOTHING = _Painted((), 0.49, None)
_MOST_LEFT: Final = 2**24
"""Bytes for what undo is to leave to others; of what is older it takes what is free."""


class MaskPainter:
    """Keeps the masks of a session in a Labels layer, and sees what is drawn by hand.

    Parameters
    ----------
    labels : Labels
        The layer.
    session : ClickSession
        Says what every target looks like, and is told what was drawn.
    dims : Dims
        The viewer's: which slice is displayed.
    """

    def __init__(self, labels: Labels, session: ClickSession, dims: Dims) -> None:
        self._labels = labels
        self._session = session
        self._dims = dims
        self._painted: dict[Target, _Painted] = {}
        self._clicks = session.clicks
        self._left: dict[tuple[PlacedClicks, Target], _Painted] = {}

    def adopt(self, target: Target) -> None:
        """Tell the session what was drawn by hand since a target was painted."""
        drawn = object_mask(self._labels, target)
        painted = self._painted.get(target, _NOTHING)
        if (seen := _fingerprint(drawn)) != painted.look:
            self._session.set_mask(target, painted.clicks, drawn, painted.threshold)
            self._painted[target] = painted._replace(look=seen, denied=None)
            self.forget()

    def leave(self, targets: Iterable[Target]) -> None:
        """Keep how targets were painted before an edit that changed their clicks.

        If it is undone they are painted so again, though others may have had to give
        them pixels meanwhile.
        """
        for target in targets:
            self._left.pop((self._clicks, target), None)
            painted = self._painted.get(target, _NOTHING)
            if painted.denied is not None:
                self._left[self._clicks, target] = painted
        while sum(map(_size, self._left.values())) > _MOST_LEFT:
            del self._left[next(iter(self._left))]
        self._clicks = self._session.clicks

    def forget(self) -> None:
        """Paint what is free from now on: more than the clicks is other than it was."""
        self._left.clear()

    def release(self, target: Target, threshold: float) -> None:
        """Take a target off what it loses, before others of the same edit are painted.

        The parameters are those of `paint`.
        """
        wanted = self._wanted(target, threshold)
        if wanted is not None:
            self._write(target, wanted, takes=False)

    def paint(
        self, target: Target, threshold: float, *, is_partial: bool = False
    ) -> None:
        """Make a target of the layer what the session says of it, once it is adopted.

        Parameters
        ----------
        target : Target
            What to paint.
        threshold : float
            In [0, 1]; the probability above which a pixel is in the mask.
        is_partial : bool
            Whether to paint the mask of some clicks while that of all is to come.
        """
        wanted = self._wanted(target, threshold, is_partial=is_partial)
        if wanted is not None:
            look, denied = self._write(target, wanted)
            self._painted[target] = _Painted(wanted.clicks, threshold, look, denied)

    def _wanted(
        self, target: Target, threshold: float, *, is_partial: bool = False
    ) -> _Wanted | None:
        clicks = self._session.clicks_of(target)
        count, prediction = self._session.answer(target)
        if count < len(clicks) and not (is_partial and count):
            return None
        found = None if prediction is None else prediction.mask_box(threshold)
        was = self._left.get((self._session.clicks, target), _NOTHING)
        is_as_before = was[:2] == (clicks[:count], threshold)
        return _Wanted(clicks[:count], found, was.denied if is_as_before else None)

    def _write(
        self, target: Target, wanted: _Wanted, *, takes: bool = True
    ) -> tuple[Fingerprint, PackedMask | None]:
        """Make a target what is wanted; return its look, and what others hold of it.

        If it `takes` nothing, it only loses what it is no more.
        """
        painted = self._painted.get(target, _NOTHING).look
        before = None if painted is None else painted[0]
        after = None if wanted.found is None else wanted.found[1]
        box = before.joined(after) if before and after else before or after
        if box is None:
            return None, None
        mask = np.zeros(box.shape, bool)
        if wanted.found is not None:
            found, place = wanted.found
            mask[place.moved(-box.row_min, -box.col_min).slices] = found
        own = mask if wanted.spared is None else mask & ~wanted.spared.within(box)
        if not takes:
            own = own & self._held(target, box)
        if write_mask(self._labels, target, own, box):
            show_part(self._labels, self._dims, target.plane, box)
        held, origin = self._held(target, box), (box.row_min, box.col_min)
        denied = None
        if np.count_nonzero(held) < np.count_nonzero(mask):
            denied = PackedMask.of(mask & ~held, origin=origin)
        return _fingerprint(held, origin), denied

    def _held(self, target: Target, box: Roi) -> NDArray[np.bool_]:
        part = np.asarray(self._labels.data[target.plane.part(box)])
        held: NDArray[np.bool_] = part == target.object_id
        return held


def _size(painted: _Painted) -> int:
    return 0 if painted.denied is None else painted.denied.bits.nbytes


def _fingerprint(
    mask: NDArray[np.bool_], origin: tuple[int, int] = (0, 0)
) -> Fingerprint:
    """Return the fingerprint of a mask, or of a part of it that holds all of it."""
    packed = PackedMask.of(mask, origin)
    if packed.box is None:
        return None
    return packed.box, blake2b(packed.bits.tobytes()).digest()
