"""ClickSession: clicks on many objects and slices, with undo; masks follow from them.

The mask of an object on a slice is a function of its clicks there, in their order.
The session therefore holds clicks only, and remembers what a model answered to each
sequence of clicks, and what was drawn by hand after it: undo, redo, moving and deleting
a click are changes of the clicks, and the masks follow. Where a click that was drawn
after is moved or deleted, the strokes are drawn over the new mask.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_simpleclick.inference.click_history import (
    ClickHistory,
    PlacedClick,
    Target,
    clicks_on,
)
from napari_simpleclick.inference.drawn_masks import DrawnMasks
from napari_simpleclick.inference.prediction_cache import PredictionCache

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from napari_simpleclick.inference.plane import Plane
    from napari_simpleclick.types import Click, Prediction

__all__ = ["ClickSession", "PlacedClick", "Request", "Target"]


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


class ClickSession:
    """Clicks on any number of objects and slices, with undo and redo.

    The session knows no model and no viewer. Its user asks for the `next_request`,
    lets a model answer it, and hands the answer to `commit`. Every edit of the clicks
    returns the targets that it changes.

    Parameters
    ----------
    object_id : int
        Label of the first object, at least 1.
    max_bytes : int
        Memory for answers that undo can return to at once, hundreds of small objects
        or a few of millions of pixels; older ones are computed again when needed.
    """

    def __init__(self, object_id: int = 1, *, max_bytes: int = 2**27) -> None:
        self.object_id = object_id
        self._history = ClickHistory()
        self._answers = PredictionCache(max_bytes)
        self._drawn = DrawnMasks()
        self._wanted: dict[Target, None] = {}
        self._generation = 0

    @property
    def clicks(self) -> tuple[PlacedClick, ...]:
        """All clicks, in the order they were made."""
        return self._history.clicks

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
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone edit to repeat."""
        return self._history.can_redo

    def clicks_of(self, target: Target) -> tuple[Click, ...]:
        """Return the clicks of one object on one slice, in order."""
        return clicks_on(target, self.clicks)

    def targets(self) -> set[Target]:
        """Return every target that has a click."""
        return {placed.target for placed in self.clicks}

    def add(self, click: Click, plane: Plane) -> tuple[Target, ...]:
        """Add a click to the current object."""
        placed = PlacedClick(click, Target(self.object_id, plane))
        return self.replace((*self.clicks, placed))

    def move(self, index: int, click: Click) -> tuple[Target, ...]:
        """Replace one click by another on the same slice.

        Several moves of the same click in a row are one edit to undo.

        Raises
        ------
        IndexError
            If there is no click with this index.
        """
        self._check_index(index)
        moved = replace(self.clicks[index], click=click)
        return self.replace((*self.clicks[:index], moved, *self.clicks[index + 1 :]))

    def delete(self, index: int) -> tuple[Target, ...]:
        """Delete one click.

        Raises
        ------
        IndexError
            If there is no click with this index.
        """
        self._check_index(index)
        return self.replace((*self.clicks[:index], *self.clicks[index + 1 :]))

    def reset(self, plane: Plane) -> tuple[Target, ...]:
        """Delete all clicks of the current object on one slice."""
        target = Target(self.object_id, plane)
        return self.replace(c for c in self.clicks if c.target != target)

    def replace(self, clicks: Iterable[PlacedClick]) -> tuple[Target, ...]:
        """Make these the clicks of the session, as one edit."""
        before = self.clicks
        changed = self._history.edit(tuple(clicks))
        for target in changed:
            old, new = clicks_on(target, before), self.clicks_of(target)
            self._drawn.note_edit(target, old, new)
        self.ask(changed)
        return changed

    def undo(self) -> tuple[Target, ...]:
        """Take the last edit back, and go to its object."""
        return self._after_travel(self._history.undo())

    def redo(self) -> tuple[Target, ...]:
        """Repeat the last undone edit, and go to its object."""
        return self._after_travel(self._history.redo())

    def set_mask(
        self,
        target: Target,
        clicks: tuple[Click, ...],
        mask: NDArray[np.bool_],
        threshold: float = 0.49,
    ) -> None:
        """Say what was drawn by hand over the mask of some clicks.

        The next click builds on it, also one that is redone, and undoing that click
        returns to it. It is kept even if the model changes, and what differs from the
        mask before is drawn over the one that follows if a click is moved or deleted.

        Parameters
        ----------
        target : Target
            One object on one slice.
        clicks : tuple of Click
            The clicks, of the target, whose mask was drawn over; may be none.
        mask : ndarray
            (H, W), bool: what the target looks like now.
        threshold : float
            In [0, 1]; of the mask before.
        """
        if clicks or mask.any():
            _, before = self._best(target, clicks)
            self._drawn.put(target, clicks, mask, before, threshold)
        else:
            self._drawn.drop(target, clicks)
        self._answers.forget(
            lambda key: key[0] == target and key[1][: len(clicks)] == clicks
        )

    def answer(self, target: Target) -> tuple[int, Prediction | None]:
        """Return the mask of as many of a target's clicks as there is one for.

        Returns
        -------
        count : int
            How many of the clicks, from the first, the mask belongs to.
        prediction : Prediction or None
            The mask; without clicks the one there was before, None if it was empty.
        """
        return self._best(target, self.clicks_of(target))

    def prediction(self, target: Target) -> Prediction | None:
        """Return the mask alone of `answer`."""
        return self.answer(target)[1]

    def ask(self, targets: Iterable[Target]) -> None:
        """Ask for what is missing of the masks of some targets."""
        self._wanted |= dict.fromkeys(targets)

    def next_request(self) -> Request | None:
        """Return the next prediction that is needed, None if all masks are there."""
        while self._wanted:
            target = next(iter(self._wanted))
            clicks = self.clicks_of(target)
            count, previous = self._best(target, clicks)
            if count < len(clicks):
                return Request(target, clicks[: count + 1], previous, self._generation)
            del self._wanted[target]
        return None

    def foresee(self, placed: PlacedClick) -> Request | None:
        """Return the prediction that one more click would need.

        Its answer may be committed whether or not the click comes, and is there at once
        if it does.

        Returns
        -------
        Request or None
            None while other masks are needed first.
        """
        clicks = self.clicks_of(placed.target)
        count, previous = self._best(placed.target, clicks)
        if self.next_request() is not None or count < len(clicks):
            return None
        wanted = (*clicks, placed.click)
        return Request(placed.target, wanted, previous, self._generation)

    def commit(self, request: Request, prediction: Prediction) -> bool:
        """Take the answer to a request; return whether it still belongs to the clicks.

        An answer from before the last `invalidate`, or to a mask that was drawn over
        since, is dropped.
        """
        if not self._is_valid(request):
            return False
        key = request.target, request.clicks
        if not self._drawn.redraw(*key, prediction):
            self._answers.put(key, prediction)
        return self._is_current(request)

    def abandon(self, request: Request) -> bool:
        """Go on without an answer; return whether it still belonged to the clicks.

        If so, the target's mask is not asked for until its clicks change.
        """
        is_wanted = self._is_valid(request) and self._is_current(request)
        if is_wanted:
            self._wanted.pop(request.target, None)
        return is_wanted

    def invalidate(self) -> None:
        """Forget the model's answers, as it or the image changed; keep the rest."""
        self._answers = PredictionCache(self._answers.max_bytes)
        self._generation += 1

    def _after_travel(self, changed: tuple[Target, ...]) -> tuple[Target, ...]:
        self.ask(changed)
        if changed:
            self.object_id = changed[-1].object_id
        return changed

    def _best(
        self, target: Target, clicks: tuple[Click, ...]
    ) -> tuple[int, Prediction | None]:
        for count in range(len(clicks), -1, -1):
            key = target, clicks[:count]
            found = self._drawn.get(*key) or self._answers.get(key)
            if found is not None:
                return count, found
        return 0, None

    def _is_valid(self, request: Request) -> bool:
        _, previous = self._best(request.target, request.clicks[:-1])
        return request.generation == self._generation and request.previous is previous

    def _is_current(self, request: Request) -> bool:
        current = self.clicks_of(request.target)
        return current[: len(request.clicks)] == request.clicks

    def _check_index(self, index: int) -> None:
        if not 0 <= index < len(self.clicks):
            raise IndexError(f"click {index} of {len(self.clicks)}")
