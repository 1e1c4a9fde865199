"""Which pixels of an annotation are objects, as each public data set has it.

A rule turns an annotation, (H, W), integer or bool, into labels, (H, W), integer, in
which 0 is background and every other value is one object, and into the pixels that no
measure counts, (H, W), bool, or None where all count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]
    ObjectRule: TypeAlias = Callable[[Array], tuple[Array, NDArray[np.bool_] | None]]

_UNCERTAIN = 128  # GrabCut's boundary_GT; RITM, isegm/data/datasets/grabcut.py
_VOC_BORDER = 255  # Pascal VOC 2012 development kit, section 3.2


def each_label(mask: Array) -> tuple[Array, None]:
    """Every value but 0 is an object."""
    return mask, None


def one_object(mask: Array) -> tuple[Array, None]:
    """All values but 0 together are one object."""
    return mask != 0, None


def each_component(mask: Array) -> tuple[Array, None]:
    """Every 4-connected component of what is not 0 is an object."""
    labels, _ = ndimage.label(mask != 0)
    return labels, None


def bright_half(mask: Array) -> tuple[Array, None]:
    """Values above 128, or the 1 of a binary mask, are one object."""
    return np.greater(mask, _UNCERTAIN) | (mask == 1), None


def certain_part(mask: Array) -> tuple[Array, NDArray[np.bool_]]:
    """As `bright_half`, and 128 marks the uncertain outline that does not count."""
    return bright_half(mask)[0], mask == _UNCERTAIN


def within_borders(mask: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Every value but 0 is an object, and 255 marks borders that do not count."""
    border = mask == _VOC_BORDER
    return np.where(border, 0, mask), border


def only(*values: int) -> ObjectRule:
    """Of all values, these alone are objects."""

    def rule(mask: Array) -> tuple[Array, None]:
        return np.where(np.isin(mask, values), mask, 0), None

    return rule
