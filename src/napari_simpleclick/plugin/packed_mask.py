"""PackedMask: a mask that is kept for later, in a bit a pixel of its box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from napari_simpleclick.types import Roi

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PackedMask:
    """A mask of a slice.

    Parameters
    ----------
    box : Roi or None
        The part of the slice that holds all of it; None for an empty one.
    bits : ndarray
        (ceil(h * w / 8),), uint8: of the mask in the box.
    """

    box: Roi | None
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, mask: NDArray[np.bool_], origin: tuple[int, int] = (0, 0)) -> Self:
        """Pack a mask, (h, w), bool, whose first pixel has this row and column."""
        held = Roi.around(mask)
        if held is None:
            return cls(None, np.zeros(0, np.uint8))
        return cls(held.moved(*origin), np.packbits(mask[held.slices]))

    def within(self, box: Roi) -> NDArray[np.bool_]:
        """Return the mask in a box of the slice: (h, w), bool."""
        part = np.zeros(box.shape, bool)
        if self.box is None or (shared := self.box.shared(box)) is None:
            return part
        height, width = self.box.shape
        own = np.unpackbits(self.bits, count=height * width).reshape(height, width)
        here = shared.moved(-self.box.row_min, -self.box.col_min)
        part[shared.moved(-box.row_min, -box.col_min).slices] = own[here.slices]
        return part
