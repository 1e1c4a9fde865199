"""DrawnMasks: what was drawn by hand over the masks of clicks, and where it goes on."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from napari_simpleclick.inference.strokes import Strokes
from napari_simpleclick.types import Click, Prediction, Roi

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_history import Target

Clicks: TypeAlias = tuple[Click, ...]


class DrawnMasks:
    """Masks drawn by hand, by the target and the clicks whose mask was drawn over."""

    def __init__(self) -> None:
        self._held: dict[tuple[Target, Clicks], tuple[Prediction, Strokes]] = {}
        self._edited_from: dict[tuple[Target, Clicks], Clicks] = {}

    def get(self, target: Target, clicks: Clicks) -> Prediction | None:
        """Return what was drawn over the mask of some clicks, None if nothing was."""
        drawn, _ = self._held.get((target, clicks), (None, None))
        return drawn

    def put(
        self,
        target: Target,
        clicks: Clicks,
        mask: NDArray[np.bool_],
        before: Prediction | None,
        threshold: float,
    ) -> None:
        """Keep a mask, (H, W), bool, that was drawn over the one `before`.

        That one ends at the threshold, in [0, 1]; None is an empty one.
        """
        was = np.zeros_like(mask) if before is None else before.mask(threshold)
        strokes = Strokes.between(was, mask)
        if (target, clicks) in self._held:
            strokes = self._held[target, clicks][1].then(strokes)
        drawn = _prediction(mask, None if before is None else before.roi)
        self._held[target, clicks] = drawn, strokes

    def drop(self, target: Target, clicks: Clicks) -> None:
        """Forget what was drawn over the mask of some clicks."""
        self._held.pop((target, clicks), None)

    def note_edit(self, target: Target, old: Clicks, new: Clicks) -> None:
        """Remember where clicks came from, unless some were only added or taken off."""
        shared = min(len(old), len(new))
        if old[:shared] != new[:shared]:
            self._edited_from[target, new] = old

    def redraw(self, target: Target, clicks: Clicks, answer: Prediction) -> bool:
        """Draw over an answer what was drawn before its clicks were edited.

        Returns
        -------
        bool
            Whether there was something, so that the mask is one of these now.
        """
        strokes = self._strokes_before_edit(target, clicks)
        if strokes is None:
            return False
        self._held[target, clicks] = strokes.over(answer), strokes
        return True

    def _strokes_before_edit(self, target: Target, clicks: Clicks) -> Strokes | None:
        seen = set()  # a click may have been moved back to where it was
        while clicks not in seen and (target, clicks) in self._edited_from:
            seen.add(clicks)
            old = self._edited_from[target, clicks]
            ends = range(1, len(old) + 1)
            changed = [(target, old[:end]) for end in ends if old[:end] != clicks[:end]]
            found = [self._held[key][1] for key in changed if key in self._held]
            if found:
                return reduce(Strokes.then, found)
            clicks = old
        return None


def _prediction(mask: NDArray[np.bool_], roi: Roi | None) -> Prediction:
    height, width = mask.shape
    box = Roi.around(mask) or Roi(0, 0, 0, 0)
    inside = mask[box.slices].astype(np.float32)
    return Prediction(inside, roi, box=box, shape=(height, width))
