"""Metrics of interactive segmentation: IoU, mIoU@k, number of clicks, failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks.

    Parameters
    ----------
    a, b : ndarray
        Same shape, bool.

    Returns
    -------
    float
        In [0, 1]; 1 where both are empty, for then they agree.

    Raises
    ------
    TypeError
        If a mask is not bool.
    ValueError
        If the shapes differ.
    """
    if a.dtype != bool or b.dtype != bool:
        raise TypeError(f"a, b: dtypes {a.dtype}, {b.dtype}, expected bool")
    if a.shape != b.shape:
        raise ValueError(f"a, b: shapes {a.shape}, {b.shape}, expected equal ones")
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def dice_of_iou(ious: ArrayLike) -> NDArray[np.float32]:
    """Turn IoUs into Dice coefficients of the same masks: 2 IoU / (1 + IoU)."""
    values = np.asarray(ious, dtype=np.float64)  # in float32, 17 / 20 would be less
    return (2 * values / (1 + values)).astype(np.float32)


def miou_at_k(ious: ArrayLike) -> NDArray[np.float64]:
    """Mean IoU over all objects after each click.

    Parameters
    ----------
    ious : array_like
        (n_objects, k), in [0, 1]: IoU of each object after click 1 .. k.

    Returns
    -------
    ndarray
        (k,), float64: mIoU@1 .. mIoU@k.

    Raises
    ------
    ValueError
        If `ious` has another shape, or no object.
    """
    means: NDArray[np.float64] = _table(ious).mean(axis=0, dtype=np.float64)
    return means


def number_of_clicks(
    ious: ArrayLike, target: float, max_clicks: int = 20
) -> NDArray[np.int64]:
    """Clicks that each object takes to reach an IoU; their mean is NoC@target.

    Parameters
    ----------
    ious : array_like
        (n_objects, k), in [0, 1]: IoU of each object after click 1 .. k.
    target : float
        IoU to reach, in [0, 1]; equality is enough.
    max_clicks : int
        Clicks that are allowed; also the number where the target is not reached.

    Returns
    -------
    ndarray
        (n_objects,), int64, 1 .. max_clicks.

    Raises
    ------
    ValueError
        If `ious` has another shape, or no object.
    """
    reached = _table(ious)[:, :max_clicks] >= target
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, max_clicks)


def number_of_failures(ious: ArrayLike, target: float, max_clicks: int = 20) -> int:
    """Objects that do not reach an IoU; reaching it with the last click is none.

    Parameters
    ----------
    ious, target, max_clicks
        As for `number_of_clicks`.

    Returns
    -------
    int
        0 .. n_objects.

    Raises
    ------
    ValueError
        If `ious` has another shape, or no object.
    """
    reached = _table(ious)[:, :max_clicks] >= target
    return int(np.count_nonzero(~reached.any(axis=1)))


def _table(ious: ArrayLike) -> NDArray[np.floating]:
    table = np.asarray(ious)  # in its own precision: a float32 of 0.9 reaches 0.9
    if table.ndim != 2 or not table.size:
        raise ValueError(
            f"ious: shape {table.shape}, expected (n_objects, k), not empty"
        )
    return table
