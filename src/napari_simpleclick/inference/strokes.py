"""Strokes: what was drawn by hand over a mask, to be drawn over another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from napari_simpleclick.types import Prediction, Roi

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Strokes:
    """Pixels that were given to an object by hand, and pixels that were taken from it.

    Parameters
    ----------
    box : Roi
        The part of the slice that holds them all.
    painted, erased : ndarray
        (h, w), bool: pixels of the box.
    """

    box: Roi
    painted: NDArray[np.bool_]
    erased: NDArray[np.bool_]

    @classmethod
    def between(cls, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Self:
        """Return what makes one mask another, both (H, W), bool."""
        box = Roi.around(before != after) or Roi(0, 0, 0, 0)
        was, now = before[box.slices], after[box.slices]
        return cls(box, now & ~was, was & ~now)

    def then(self, later: Strokes) -> Strokes:
        """Return these strokes and later ones, which count where they meet."""
        box = self.box.joined(later.box)
        (painted, erased), (added, taken) = self._within(box), later._within(box)
        return Strokes(box, painted & ~taken | added, erased & ~added | taken)

    def over(self, prediction: Prediction) -> Prediction:
        """Return a prediction with these strokes drawn over it."""
        box = prediction.box.joined(self.box)
        painted, erased = self._within(box)
        inside = np.where(erased, np.float32(0), prediction.within(box))
        inside[painted] = 1
        return Prediction(inside, prediction.roi, box=box, shape=prediction.shape)

    def _within(self, box: Roi) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return both in a box that holds them."""
        place = self.box.moved(-box.row_min, -box.col_min).slices
        painted, erased = np.zeros((2, *box.shape), bool)
        painted[place], erased[place] = self.painted, self.erased
        return painted, erased
