"""Overlaps: who gets a pixel that several objects of a session want.

The object that has it keeps it. Where an object leaves a pixel, another whose mask
holds it gets it, on loan: an object that returns to the clicks that it left it with,
as by undo, takes it back. So undo restores every mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

from napari_simpleclick.inference.session import Target
from napari_simpleclick.inference.volume import put_object
from napari_simpleclick.types import Click, Roi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

State: TypeAlias = tuple[Target, tuple[Click, ...]]
"""A target, and the clicks of the mask that it has or had."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some pixels of a slice.

    Parameters
    ----------
    box : Roi
        A box that holds all of them.
    mask : ndarray
        (h, w), bool: which pixels of the box.
    """

    box: Roi
    mask: NDArray[np.bool_]

    @classmethod
    def around(cls, mask: NDArray[np.bool_], box: Roi) -> Self | None:
        """Return the true pixels of a mask of a box, if any, in the smallest box."""
        held = Roi.around(mask)
        if held is None:
            return None
        return cls(held.moved(box.row_min, box.col_min), mask[held.slices].copy())


class Overlaps:
    """Remembers the pixels that targets want and others have, or have lent.

    Parameters
    ----------
    adopt : callable
        Called with a target before its pixels change, to see what was drawn by hand;
        such a target is to be forgotten, see `forget`.
    """

    def __init__(self, adopt: Callable[[Target], None]) -> None:
        self._adopt = adopt
        self._wanted: dict[Target, list[Part]] = {}
        self._left: dict[Target, tuple[State, list[Part]]] = {}
        self._loans: dict[State, list[tuple[Target, Part]]] = {}

    def forget(self, target: Target) -> None:
        """Leave a target as it is, as it was drawn by hand."""
        self._wanted.pop(target, None)
        self._left.pop(target, None)
        for state, loans in tuple(self._loans.items()):
            self._loans[state] = [loan for loan in loans if loan[0] != target]

    def left(self, target: Target) -> list[Roi]:
        """Return the boxes of pixels that a target left and no other got yet."""
        _, parts = self._left.get(target, (None, []))
        return [part.box for part in parts]

    def put(
        self,
        pixels: NDArray[np.integer],
        mask: Part,
        before: State,
        now: State,
        *,
        is_last: bool,
    ) -> set[Target]:
        """Make a target equal to its mask; pixels of other objects stay theirs.

        Parameters
        ----------
        pixels : ndarray
            (h, w), integer: the labels in the mask's box; changed in place.
        mask : Part
            What the target wants; its box also holds all that it has, and `left`.
        before, now : State
            The target, with the clicks of the mask that it has and of the new one.
        is_last : bool
            Whether no further mask is to come for the same edit; what the target
            leaves goes to others only then, as it may want it again before.

        Returns
        -------
        set of Target
            The others whose pixels changed too.

        Raises
        ------
        ValueError
            If the data type of the pixels cannot hold the target's label.
        """
        target = now[0]
        had = pixels == target.object_id
        others = self._take_back(pixels, mask, now)
        put_object(pixels, target.object_id, mask.mask)
        freed = had & (pixels == 0)
        if freed.any():
            _, parts = self._left.setdefault(target, (before, []))
            parts.append(Part(mask.box, freed))
        if is_last and target in self._left:
            before, parts = self._left.pop(target)
            freed = _within(parts, mask.box) & (pixels == 0)
            others |= self._lend(pixels, Part(mask.box, freed), before)
        self._note(target, mask, pixels != target.object_id)
        return others

    def _take_back(
        self, pixels: NDArray[np.integer], mask: Part, state: State
    ) -> set[Target]:
        for other in {other for other, _ in self._loans.get(state, ())}:
            self._adopt(other)
        changed, kept, held = set(), [], pixels.copy()
        for other, part in self._loans.pop(state, ()):
            back = _within([part], mask.box) & mask.mask
            back &= held == other.object_id
            if back.any():
                pixels[back] = 0
                changed.add(other)
                self._want(other, Part(mask.box, back))
            taken = _within([Part(mask.box, back)], part.box)
            rest = Part.around(part.mask & ~taken, part.box)
            kept += [] if rest is None else [(other, rest)]
        if kept:
            self._loans[state] = kept
        return changed

    def _lend(
        self, pixels: NDArray[np.integer], freed: Part, state: State
    ) -> set[Target]:
        box, changed = freed.box, set()
        for other in self._wanting(freed, state[0]):
            self._adopt(other)
            lent = _within(self._wanted.get(other, ()), box) & freed.mask
            part = Part.around(lent & (pixels == 0), box)
            if part is not None:
                pixels[lent & (pixels == 0)] = other.object_id
                self._loans.setdefault(state, []).append((other, part))
                changed.add(other)
        return changed

    def _wanting(self, freed: Part, target: Target) -> list[Target]:
        """Return the others on a slice that want pixels, in order of labels."""
        wanting = [
            other
            for other, parts in self._wanted.items()
            if other != target
            and other.plane == target.plane
            and any(part.box.shared(freed.box) for part in parts)
            and (_within(parts, freed.box) & freed.mask).any()
        ]
        return sorted(wanting, key=lambda other: other.object_id)

    def _want(self, target: Target, part: Part) -> None:
        parts = self._wanted.setdefault(target, [])
        more = Part.around(part.mask & ~_within(parts, part.box), part.box)
        parts += [] if more is None else [more]

    def _note(self, target: Target, mask: Part, is_others: NDArray[np.bool_]) -> None:
        """Remember what a target wants and others have; or had, and may take back."""
        contested = is_others | _within(self._wanted.get(target, ()), mask.box)
        part = Part.around(mask.mask & contested, mask.box)
        if part is None:
            self._wanted.pop(target, None)
        else:
            self._wanted[target] = [part]


def _within(parts: Iterable[Part], box: Roi) -> NDArray[np.bool_]:
    """Return which pixels of a box, (h, w), are in any of some parts."""
    found = np.zeros(box.shape, bool)
    for part in parts:
        if (shared := part.box.shared(box)) is not None:
            held = shared.moved(-part.box.row_min, -part.box.col_min).slices
            found[shared.moved(-box.row_min, -box.col_min).slices] |= part.mask[held]
    return found
