"""Measures of the outline: boundary IoU, and mean surface distance in millimetres."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import ndimage

from napari_simpleclick.evaluation.metrics import iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_RATIO: Final = 0.02  # of the image's diagonal; Cheng et al., section 4


def boundary_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """IoU of the inner rims of two masks, 2 % of the image's diagonal wide.

    Parameters
    ----------
    a, b : ndarray
        (H, W), bool. The edge of the image is an outline, too.

    Returns
    -------
    float
        In [0, 1]; 1 where both are empty.

    Raises
    ------
    TypeError, ValueError
        As for `iou`.

    References
    ----------
    Cheng et al., Boundary IoU: Improving Object-Centric Image Segmentation Evaluation,
    CVPR 2021.
    """
    width = max(1, round(_RATIO * math.hypot(*a.shape)))
    return iou(_rim(a, width), _rim(b, width))


def surface_distance(
    a: NDArray[np.bool_], b: NDArray[np.bool_], pixel_size: Sequence[float]
) -> float:
    """Mean distance from the surface of each mask to that of the other.

    On the surface are the pixels of a mask with one outside it, or outside the image,
    next to them: their 8 neighbours in an image, in a volume those 18 of a voxel that
    share a face or an edge with it.

    Parameters
    ----------
    a, b : ndarray
        (H, W) or (n, H, W), bool.
    pixel_size : sequence of float
        Size of a pixel along each axis, in millimetres.

    Returns
    -------
    float
        In millimetres, over the surface pixels of both; 0 where both masks are empty,
        infinite where one is.

    References
    ----------
    Heimann et al., Comparison and Evaluation of Methods for Liver Segmentation from CT
    Datasets, IEEE TMI 2009: average symmetric surface distance, and the neighbours.
    """
    if not (a.any() and b.any()):
        return math.inf if a.any() or b.any() else 0.0
    (box,) = ndimage.find_objects((a | b).view(np.uint8))
    surfaces = _surface(a[box]), _surface(b[box])
    distances = [
        ndimage.distance_transform_edt(~other, sampling=pixel_size)[one]
        for one, other in (surfaces, surfaces[::-1])
    ]
    return float(np.concatenate(distances).mean())


def _surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    neighbours = ndimage.generate_binary_structure(mask.ndim, 2)
    surface: NDArray[np.bool_] = mask & ~ndimage.binary_erosion(mask, neighbours)
    return surface


def _rim(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Pixels of a mask at most `width` pixels, diagonals included, from its outside."""
    depth = ndimage.distance_transform_cdt(np.pad(mask, 1), metric="chessboard")
    rim: NDArray[np.bool_] = mask & (depth[1:-1, 1:-1] <= width)
    return rim
