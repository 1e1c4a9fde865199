"""ClickHistory: clicks placed on objects and slices, and their edits to undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from napari_simpleclick.inference.plane import Plane
    from napari_simpleclick.types import Click


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


PlacedClicks: TypeAlias = tuple[PlacedClick, ...]


class ClickHistory:
    """Clicks, and the edits that led to them.

    Attributes
    ----------
    clicks : tuple of PlacedClick
        All clicks, in the order they were made.
    """

    def __init__(self) -> None:
        self.clicks: PlacedClicks = ()
        self._done: list[PlacedClicks] = []
        self._undone: list[PlacedClicks] = []
        self._moving: int | None = None

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone edit to repeat."""
        return bool(self._undone)

    def edit(self, clicks: PlacedClicks) -> tuple[Target, ...]:
        """Make these the clicks; several moves of one click in a row are one edit.

        Returns
        -------
        tuple of Target
            Those whose clicks change; the same for `undo` and `redo`.
        """
        if clicks == self.clicks:
            return ()
        moving = self._moved_index(clicks)
        if moving is None or moving != self._moving:
            self._done.append(self.clicks)
        self._moving = moving
        self._undone.clear()
        return self._go_to(clicks)

    def undo(self) -> tuple[Target, ...]:
        """Take the last edit back."""
        return self._travel(self._done, self._undone)

    def redo(self) -> tuple[Target, ...]:
        """Repeat the last undone edit."""
        return self._travel(self._undone, self._done)

    def _moved_index(self, clicks: PlacedClicks) -> int | None:
        """Index of the one click that is elsewhere in as many; None otherwise."""
        if len(clicks) != len(self.clicks):
            return None
        pairs = zip(clicks, self.clicks, strict=True)
        changed = [i for i, (new, old) in enumerate(pairs) if new != old]
        return changed[0] if len(changed) == 1 else None

    def _travel(
        self, source: list[PlacedClicks], back: list[PlacedClicks]
    ) -> tuple[Target, ...]:
        if not source:
            return ()
        self._moving = None
        back.append(self.clicks)
        return self._go_to(source.pop())

    def _go_to(self, clicks: PlacedClicks) -> tuple[Target, ...]:
        before, self.clicks = self.clicks, clicks
        old, new = _by_target(before), _by_target(clicks)
        return tuple(t for t in {**old, **new} if old.get(t) != new.get(t))


def clicks_on(target: Target, clicks: PlacedClicks) -> tuple[Click, ...]:
    """Return those of some clicks that belong to a target, in order."""
    return tuple(placed.click for placed in clicks if placed.target == target)


def _by_target(clicks: PlacedClicks) -> dict[Target, list[Click]]:
    """Sort clicks by what they belong to, each in order."""
    sorted_clicks: dict[Target, list[Click]] = {}
    for placed in clicks:
        sorted_clicks.setdefault(placed.target, []).append(placed.click)
    return sorted_clicks
