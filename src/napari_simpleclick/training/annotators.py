"""Objects as other annotators would draw them, where the image does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_simpleclick.training.noise import smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

LARGEST_SIDE = 600
"""Pixels; larger objects stay as they are, for the sake of time."""


def part_of(rng: np.random.Generator, mask: Mask) -> Mask:
    """Cut an object along a smooth line, as a guideline would, and keep one part.

    Parameters
    ----------
    rng : Generator
        Source of all randomness.
    mask : ndarray
        (H, W), bool: the object, not empty.

    Returns
    -------
    ndarray
        (H, W), bool: the largest connected piece on one side of the line.
    """
    window = _window(mask, 0)
    if window is None:
        return mask
    inside = mask[window]
    field = _field(rng, inside.shape, int(rng.integers(1, 5)))
    field *= rng.choice([-1, 1])
    line = np.quantile(field[inside], rng.uniform(0.25, 0.75))
    return _placed(inside & (field >= line), window, mask)


def redrawn(rng: np.random.Generator, mask: Mask) -> Mask:
    """Move the edge of an object in and out, by up to half of its greatest depth.

    Parameters
    ----------
    rng : Generator
        Source of all randomness.
    mask : ndarray
        (H, W), bool: the object, not empty.

    Returns
    -------
    ndarray
        (H, W), bool: one connected piece.
    """
    depth = ndimage.distance_transform_edt
    window = _window(mask, 0.25)
    if window is None:
        return mask
    inside = mask[window]
    inwards = depth(np.pad(inside, 1))[1:-1, 1:-1]
    distance = inwards - depth(~inside) if not inside.all() else inwards
    swing = rng.uniform(0, 0.4) * inwards.max()
    moved = swing * _field(rng, inside.shape, int(rng.integers(2, 10)))
    moved += rng.uniform(-0.2, 0.2) * inwards.max()
    return _placed(distance + moved > 0, window, mask)


def _window(mask: Mask, margin: float) -> tuple[slice, slice] | None:
    """Find the object's box with a margin, as a share of its side, unless too large."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    sides = []
    for found, length in ((rows, mask.shape[0]), (cols, mask.shape[1])):
        low, high = int(found[0]), int(found[-1]) + 1
        if high - low > LARGEST_SIDE:
            return None
        more = round(margin * (high - low))
        sides.append(slice(max(low - more, 0), min(high + more, length)))
    return sides[0], sides[1]


def _field(
    rng: np.random.Generator, shape: tuple[int, ...], cells: int
) -> NDArray[np.float32]:
    return smooth_noise(rng, max(shape), cells)[: shape[0], : shape[1]].copy()


def _placed(drawn: Mask, window: tuple[slice, slice], mask: Mask) -> Mask:
    """Put the largest piece of what was drawn in its place, if anything was."""
    pieces, count = ndimage.label(drawn)
    if not count:
        return mask
    whole = np.zeros_like(mask)
    whole[window] = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    return whole
