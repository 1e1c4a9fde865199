"""ClickSession: clicks on many objects and slices, with undo; masks follow from them.

The mask of an object on a slice is a function of its clicks there, in their order.
The session therefore holds clicks only, and remembers what a model answered to each
sequence of clicks: undo, redo, moving and deleting a click are changes of the clicks,
and the masks follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from napari_simpleclick.inference.prediction_cache import PredictionCache
from napari_simpleclick.types import Click, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_simpleclick.inference.plane import Plane


@dataclass(frozen=True, slots=True)
class Target:
    """One object on one slice: what a mask belongs to."""

    object_id: int
    plane: Plane


@dataclass(frozen=True, slots=True)
class PlacedClick:
    """A click and the target that it belongs to."""

    click: Click
    target: Target


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A prediction that the session waits for.

    Parameters
    ----------
    target : Target
        What the mask belongs to.
    clicks : tuple of Click
        All clicks so far, the new one last.
    previous : Prediction or None
        The answer to all clicks but the last.
    generation : int
        Count of the session's invalidations when the request was made.
    """

    target: Target
    clicks: tuple[Click, ...]
    previous: Prediction | None
    generation: int


_Clicks: TypeAlias = "tuple[PlacedClick, ...]"


class ClickSession:
    """Clicks on any number of objects and slices, with undo and redo.

    The session knows no model and no viewer. Its user asks for the `next_request`,
    lets a model answer it, and hands the answer to `commit`.

    Parameters
    ----------
    object_id : int
        Label of the first object, at least 1.
    max_bytes : int
        Memory for answers that undo can return to at once; older ones are computed
        again when they are needed.
    """

    def __init__(self, object_id: int = 1, *, max_bytes: int = 2**28) -> None:
        self.object_id = object_id
        self._clicks: _Clicks = ()
        self._done: list[_Clicks] = []
        self._undone: list[_Clicks] = []
        self._moving: int | None = None
        self._answers = PredictionCache(max_bytes)
        self._bases: dict[Target, Prediction] = {}
        self._wanted: dict[Target, None] = {}
        self._generation = 0

    @property
    def clicks(self) -> tuple[PlacedClick, ...]:
        """All clicks, in the order they were made."""
        return self._clicks

    @property
    def object_id(self) -> int:
        """Label of the object that the next click belongs to."""
        return self._object_id

    @object_id.setter
    def object_id(self, value: int) -> None:
        if value < 1:
            raise ValueError(f"object_id: {value}, expected at least 1")
        self._object_id = value

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone edit to repeat."""
        return bool(self._undone)

    def clicks_of(self, target: Target) -> tuple[Click, ...]:
        """Return the clicks of one object on one slice, in order."""
        return _of(self.clicks, target)

    def targets(self) -> set[Target]:
        """Return every target that has a click."""
        return {placed.target for placed in self.clicks}

    def add(self, click: Click, plane: Plane) -> None:
        """Add a click to the current object."""
        placed = PlacedClick(click, Target(self.object_id, plane))
        self._edit((*self.clicks, placed))

    def move(self, index: int, click: Click) -> None:
        """Replace one click by another on the same slice.

        Several moves of the same click in a row are one edit to undo.

        Raises
        ------
        IndexError
            If there is no click with this index.
        """
        self._check_index(index)
        moved = replace(self.clicks[index], click=click)
        clicks = (*self.clicks[:index], moved, *self.clicks[index + 1 :])
        self._edit(clicks, moving=index)

    def delete(self, index: int) -> None:
        """Delete one click.

        Raises
        ------
        IndexError
            If there is no click with this index.
        """
        self._check_index(index)
        self._edit((*self.clicks[:index], *self.clicks[index + 1 :]))

    def replace(self, clicks: Iterable[PlacedClick]) -> None:
        """Make these the clicks of the session, as one edit."""
        clicks = tuple(clicks)
        changed = [
            i
            for i, (a, b) in enumerate(zip(clicks, self.clicks, strict=False))
            if a != b
        ]
        one_moved = len(clicks) == len(self.clicks) and len(changed) == 1
        if clicks != self.clicks:
            self._edit(clicks, moving=changed[0] if one_moved else None)

    def reset(self, plane: Plane) -> None:
        """Delete all clicks of the current object on one slice."""
        target = Target(self.object_id, plane)
        self.replace(c for c in self.clicks if c.target != target)

    def next_object(self) -> int:
        """Go on to an object with a label that no click has; return the label."""
        used = [placed.target.object_id for placed in self.clicks]
        self.object_id = max([self.object_id, *used]) + 1
        return self.object_id

    def undo(self) -> tuple[Target, ...]:
        """Take the last edit back and return the targets that it changes."""
        return self._travel(self._done, self._undone)

    def redo(self) -> tuple[Target, ...]:
        """Repeat the last undone edit and return the targets that it changes."""
        return self._travel(self._undone, self._done)

    def set_mask(self, target: Target, mask: NDArray[np.bool_]) -> None:
        """Say what a target looks like now, where no model made it so.

        The next click builds on it, and undoing that click returns to it.

        Parameters
        ----------
        target : Target
            One object on one slice.
        mask : ndarray
            (H, W), bool.
        """
        clicks = self.clicks_of(target)
        _, answer = self._longest_answer(target)
        roi = None if answer is None else answer.roi
        drawn = Prediction(mask.astype(np.float32), roi) if mask.any() else None
        if clicks and drawn is not None:
            self._answers.put((target, clicks), drawn)
        elif drawn is not None:
            self._bases[target] = drawn
        elif not clicks:
            self._bases.pop(target, None)

    def prediction(self, target: Target) -> Prediction | None:
        """Return the answer to the most of a target's clicks, None if there is none.

        Without clicks that is the mask there was before, None if it was empty.
        """
        return self._longest_answer(target)[1]

    def next_request(self) -> Request | None:
        """Return the next prediction that is needed, None if all masks are there."""
        while self._wanted:
            target = next(iter(self._wanted))
            clicks = self.clicks_of(target)
            count, previous = self._longest_answer(target)
            if count < len(clicks):
                return Request(target, clicks[: count + 1], previous, self._generation)
            del self._wanted[target]
        return None

    def commit(self, request: Request, prediction: Prediction) -> bool:
        """Take the answer to a request; return whether it still belongs to the clicks.

        An answer from before the last `invalidate` is dropped.
        """
        if request.generation != self._generation:
            return False
        self._answers.put((request.target, request.clicks), prediction)
        current = self.clicks_of(request.target)
        return current[: len(request.clicks)] == request.clicks

    def abandon(self, target: Target) -> None:
        """Stop asking for a target's mask until its clicks change."""
        self._wanted.pop(target, None)

    def invalidate(self) -> None:
        """Forget all answers, as the model or the image changed; keep the clicks."""
        self._answers = PredictionCache(self._answers.max_bytes)
        self._generation += 1

    def _longest_answer(self, target: Target) -> tuple[int, Prediction | None]:
        clicks = self.clicks_of(target)
        for count in range(len(clicks), 0, -1):
            answer = self._answers.get((target, clicks[:count]))
            if answer is not None:
                return count, answer
        return 0, self._bases.get(target)

    def _edit(self, clicks: _Clicks, moving: int | None = None) -> None:
        if moving is None or moving != self._moving:
            self._done.append(self._clicks)
        self._moving = moving
        self._undone.clear()
        self._go_to(clicks)

    def _travel(self, source: list[_Clicks], back: list[_Clicks]) -> tuple[Target, ...]:
        if not source:
            return ()
        self._moving = None
        back.append(self._clicks)
        changed = self._go_to(source.pop())
        if changed:
            self.object_id = changed[-1].object_id
        return changed

    def _go_to(self, clicks: _Clicks) -> tuple[Target, ...]:
        before, self._clicks = self._clicks, clicks
        touched = dict.fromkeys(placed.target for placed in (*before, *clicks))
        changed = tuple(t for t in touched if _of(before, t) != _of(clicks, t))
        self._wanted |= dict.fromkeys(changed)
        return changed

    def _check_index(self, index: int) -> None:
        if not 0 <= index < len(self.clicks):
            raise IndexError(f"click {index} of {len(self.clicks)}")


def _of(clicks: _Clicks, target: Target) -> tuple[Click, ...]:
    return tuple(placed.click for placed in clicks if placed.target == target)
