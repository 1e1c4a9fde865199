"""COCO's two forms of a mask, polygons and run lengths, as arrays of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from skimage.draw import polygon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


def decode_mask(segmentation: object, shape: tuple[int, int]) -> Mask:
    """Turn a "segmentation" of COCO or LVIS into pixels.

    Parameters
    ----------
    segmentation : object
        A list of polygons [x, y, x, y ...], in pixels with the image's corner at
        (0, 0); or {"counts": ..., "size": [H, W]}, where the counts are a list of
        numbers or a string in COCO's compressed form.
    shape : tuple of int
        Height and width of the image, in pixels.

    Returns
    -------
    ndarray
        (H, W), bool.

    Raises
    ------
    ValueError
        If it has another form or does not fit the image.
    """
    match segmentation:
        case {"counts": str() | bytes() as text, "size": [height, width]}:
            runs = decode_counts(text)
        case {"counts": list(runs), "size": [height, width]}:
            pass
        case [*polygons]:
            return _fill(polygons, shape)
        case _:
            raise ValueError(
                "segmentation: expected a list of polygons, or run lengths as "
                '{"counts", "size"}'
            )
    if (height, width) != shape:
        raise ValueError(f"segmentation: size {[height, width]}, expected {[*shape]}")
    return _unroll(runs, shape)


def decode_counts(text: str | bytes) -> list[int]:
    """Read the run lengths out of COCO's compressed string.

    Every number is written in groups of five bits, lowest first, as the characters from
    "0" on; a sixth bit says that more follow, and the highest of the last five is the
    sign. From the fourth run on it is the difference to the run before the last that
    is written.

    References
    ----------
    rleFrString in common/maskApi.c of cocodataset/cocoapi.
    """
    data = text.encode() if isinstance(text, str) else text
    runs: list[int] = []
    value = shift = 0
    for byte in data:
        group = byte - 48
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("segmentation: the run lengths end in the midst of a number")
    return runs


def _unroll(runs: Sequence[Any], shape: tuple[int, int]) -> Mask:
    """Lay runs of background and object in turn, column by column."""
    if any(run < 0 for run in runs) or sum(runs) != shape[0] * shape[1]:
        raise ValueError(
            f"segmentation: runs of {sum(runs)} pixels, expected {shape[0] * shape[1]}"
        )
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(shape, order="F")


def _fill(polygons: Sequence[Any], shape: tuple[int, int]) -> Mask:
    """Set the pixels whose centres lie in a polygon."""
    mask = np.zeros(shape, bool)
    for corners in polygons:
        points = np.asarray(corners, np.float64)
        if points.ndim != 1 or len(points) < 6 or len(points) % 2:
            raise ValueError(
                "segmentation: expected at least three corners x, y of a polygon, got "
                f"{points.size} numbers"
            )
        mask[polygon(points[1::2] - 0.5, points[::2] - 0.5, shape)] = True
    return mask
