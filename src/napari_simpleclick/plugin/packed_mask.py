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
    shape : tuple of int
        Height and width of the slice, in pixels.
    box : Roi or None
        The part of it that holds all of the mask; None for an empty one.
    bits : ndarray
        (ceil(h * w / 8),), uint8: of the mask in the box.
    """

    shape: tuple[int, int]
    box: Roi | None
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Self:
        """Pack a mask, (H, W), bool."""
        height, width = mask.shape
        box = Roi.around(mask)
        held = mask[:0] if box is None else mask[box.slices]
        return cls((height, width), box, np.packbits(held))

    def unpacked(self) -> NDArray[np.bool_]:
        """Return the mask: (H, W), bool."""
        mask = np.zeros(self.shape, bool)
        if self.box is not None:
            height, width = self.box.shape
            bits = np.unpackbits(self.bits, count=height * width)
            mask[self.box.slices] = bits.reshape(height, width)
        return mask
