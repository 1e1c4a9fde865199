"""The robot user: where a user would click next to mend a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_simpleclick.inference.transforms import clicked_pixel
from napari_simpleclick.types import Click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def next_click(
    gt: NDArray[np.bool_], pred: NDArray[np.bool_], clicks: Sequence[Click] = ()
) -> Click:
    """Click the pixel deepest inside the missing or the surplus area.

    Depth is the exact Euclidean distance to the nearest pixel that is right; pixels
    beyond the image count as right, pixels already clicked have depth 0. The deeper
    area wins, at equal depth the surplus; within it the first pixel, row by row.

    Where nothing is left to mend (no wrong pixel that was not clicked already), it is,
    as in the published evaluation, a negative click on pixel (0, 0).

    Parameters
    ----------
    gt : ndarray
        (H, W), bool: the object.
    pred : ndarray
        (H, W), bool: the prediction, all False before the first click.
    clicks : sequence of Click
        Those made so far, in pixels of the image.

    Returns
    -------
    Click
        Positive on a missing pixel, negative on a surplus one; whole coordinates.

    Raises
    ------
    TypeError
        If an array is not bool.
    ValueError
        If the arrays are not planes of one shape.

    References
    ----------
    Xu et al., Deep Interactive Object Selection, CVPR 2016; the rule as in Sofiiuk et
    al., Reviving Iterative Training with Mask Guidance, 2021, and Liu et al.,
    SimpleClick, ICCV 2023.
    """
    if gt.dtype != bool or pred.dtype != bool:
        raise TypeError(f"gt, pred: dtypes {gt.dtype}, {pred.dtype}, expected bool")
    if gt.ndim != 2 or gt.shape != pred.shape:
        raise ValueError(f"gt, pred: shapes {gt.shape}, {pred.shape}, expected (H, W)")
    missing, missing_pixel = _deepest(gt & ~pred, clicks)
    surplus, surplus_pixel = _deepest(pred & ~gt, clicks)
    if missing > surplus:
        return Click(*missing_pixel, is_positive=True)
    return Click(*surplus_pixel, is_positive=False)


def _deepest(
    area: NDArray[np.bool_], clicks: Sequence[Click]
) -> tuple[float, tuple[int, int]]:
    """Greatest depth and its first pixel; (0, (0, 0)) where there is none."""
    boxes = ndimage.find_objects(area.view(np.uint8))
    if not boxes:
        return 0.0, (0, 0)
    rows, cols = boxes[0]  # outside its box the area is empty: the depth is the same
    depth = ndimage.distance_transform_edt(np.pad(area[boxes[0]], 1))[1:-1, 1:-1]
    for row, col in map(clicked_pixel, clicks):
        if rows.start <= row < rows.stop and cols.start <= col < cols.stop:
            depth[row - rows.start, col - cols.start] = 0
    row, col = np.unravel_index(depth.argmax(), depth.shape)
    deepest = float(depth[row, col])
    if not deepest:
        return 0.0, (0, 0)
    return deepest, (int(row) + rows.start, int(col) + cols.start)
