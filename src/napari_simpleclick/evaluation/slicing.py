"""Slicing: which slices of a volume are taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Slicing:
    """Which slices of a volume are taken.

    Parameters
    ----------
    axis : int or None
        Axis, of (z, y, x), that is sliced; None for that of the largest voxel size, the
        first at a tie.
    every : int
        Every n-th slice, the first one included.
    min_area : int
        Pixels that an object must have on a slice to be taken.
    largest_only : bool
        Only the one slice with the largest area of objects, the first at a tie.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    axis: int | None = 0
    every: int = 1
    min_area: int = 1
    largest_only: bool = False

    def __post_init__(self) -> None:
        if self.axis not in (None, 0, 1, 2):
            raise ValueError(f"axis: {self.axis}, expected 0, 1 or 2")
        if self.every < 1 or self.min_area < 1:
            raise ValueError(
                f"every, min_area: {self.every}, {self.min_area}, expected at least 1"
            )

    def indices(self, labels: NDArray[np.generic]) -> Iterable[int]:
        """Slices to take of labels (n, H, W) that lie along the first axis."""
        if self.largest_only:
            return [int(np.count_nonzero(labels, axis=(1, 2)).argmax())]
        return range(0, len(labels), self.every)
