"""Zoom-in: how an image becomes a crop for the network, and its answer a map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from napari_simpleclick.types import Click, Prediction, Roi

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


class CropInputs(NamedTuple):
    """What a click model sees of a batch of crops, in the order of its arguments.

    Parameters
    ----------
    image : Tensor
        (B, 3, S, S), float32 in [0, 1].
    prev_mask : Tensor
        (B, 1, S, S), float32 in [0, 1]: the previous probability, 0 at first.
    points : Tensor
        (B, 2n, 3), float32: rows (row, col, order) in pixels of the crop, first n
        positive, then n negative, -1 pads. Clicks outside the crop keep their place.
    """

    image: Tensor
    prev_mask: Tensor
    points: Tensor


@dataclass(frozen=True, slots=True)
class ZoomIn:
    """Choice of the crop: the whole image at first, then the object with a margin.

    Parameters
    ----------
    expansion : float
        Side of the crop over side of the object's box.
    min_crop : int
        Smallest side of a crop, in pixels; the image's edge may cut it shorter.
    recompute_iou : float
        A crop is kept while its overlap with the newly wanted one is at least this.
    threshold : float
        In [0, 1]; the object is where the previous probability exceeds it.

    References
    ----------
    Sofiiuk et al., f-BRS: Rethinking Backpropagating Refinement for Interactive
    Segmentation, CVPR 2020, section 3.4; the constants are the defaults of
    isegm/inference/transforms/zoom_in.py in uncbiag/SimpleClick.
    """

    expansion: float = 1.4
    min_crop: int = 200
    recompute_iou: float = 0.5
    threshold: float = 0.5

    def roi(
        self, shape: tuple[int, int], clicks: Sequence[Click], previous: Prediction
    ) -> Roi:
        """Choose the crop for the next prediction.

        Parameters
        ----------
        shape : tuple of int
            Height and width of the image, in pixels.
        clicks : sequence of Click
            All clicks so far, in pixels of the image.
        previous : Prediction
            The prediction before the last click.

        Returns
        -------
        Roi
            The previous crop while it will do, else the object's box with a margin.
        """
        wanted = self._wanted(shape, clicks, previous)
        kept = previous.roi
        if (
            kept is None
            or not all(_inside(click, kept) for click in clicks if click.is_positive)
            or _overlap(wanted, kept) < self.recompute_iou
        ):
            return wanted
        return kept

    def _wanted(
        self,
        shape: tuple[int, int],
        clicks: Sequence[Click],
        previous: Prediction,
    ) -> Roi:
        held = Roi.around(previous.inside > self.threshold)
        if held is None:
            return whole(shape)
        top, bottom, left, right = held.moved(
            previous.box.row_min, previous.box.col_min
        )
        pixels = [clicked_pixel(click) for click in clicks if click.is_positive]
        row_min, row_max = self._widen([top, bottom, *(row for row, _ in pixels)])
        col_min, col_max = self._widen([left, right, *(col for _, col in pixels)])
        return Roi(
            max(row_min, 0),
            min(row_max, shape[0] - 1),
            max(col_min, 0),
            min(col_max, shape[1] - 1),
        )

    def _widen(self, positions: Iterable[int]) -> tuple[int, int]:
        low, high = int(min(positions)), int(max(positions))
        centre, half = (low + high) / 2, self.expansion * (high - low + 1) / 2
        half = max(half, self.min_crop / 2)
        return round(centre - half), round(centre + half)


def whole(shape: tuple[int, int]) -> Roi:
    """Box of a whole image of this (height, width), in pixels."""
    return Roi(0, shape[0] - 1, 0, shape[1] - 1)


def clicked_pixel(click: Click) -> tuple[int, int]:
    """(row, col) of the pixel that a click lies on; halves belong to the next one."""
    return math.floor(click.row + 0.5), math.floor(click.col + 0.5)


def crop_image(
    image: NDArray[np.generic],
    roi: Roi,
    size: int,
    *,
    origin: tuple[int, int] = (0, 0),
) -> NDArray[np.float32]:
    """Cut out a box and resize it to a square, bilinear between corner pixel centres.

    Only the pixels under the new grid are read, so the cost is that of the crop
    however large the image is.

    Parameters
    ----------
    image : ndarray
        (H, W) or (H, W, 3), any real dtype.
    roi : Roi
        Box inside the image.
    size : int
        Side of the square, in pixels.
    origin : tuple of int
        Row and column of the pixel ``image[0, 0]``, where it is a part of an image.

    Returns
    -------
    ndarray
        (size, size) or (size, size, 3), float32, in the range of the image.
    """
    top, bottom, down = _grid(roi.row_min, roi.row_max, size)
    left, right, across = _grid(roi.col_min, roi.col_max, size)
    if image.ndim == 3:
        down, across = down[..., None], across[..., None]
    box = image[roi.moved(-origin[0], -origin[1]).slices]

    def along(rows: NDArray[np.intp]) -> NDArray[np.float32]:
        line = box[rows - roi.row_min]
        near, far = (line.take(cols - roi.col_min, axis=1) for cols in (left, right))
        return _blend(near.astype(np.float32), far.astype(np.float32), across)

    return _blend(along(top), along(bottom), down[:, None])


def crop_prediction(prediction: Prediction, roi: Roi, size: int) -> NDArray[np.float32]:
    """Cut out a box of a probability map as `crop_image` does.

    Parameters
    ----------
    prediction : Prediction
        Of the image.
    roi : Roi
        Box inside the image.
    size : int
        Side of the square, in pixels.

    Returns
    -------
    ndarray
        (size, size), float32.
    """
    origin = roi.row_min, roi.col_min
    return crop_image(prediction.within(roi), roi, size, origin=origin)


def fill_box(crop: Tensor, roi: Roi) -> NDArray[np.float32]:
    """Give a crop the size of its box again, the inverse of `crop_image`.

    Parameters
    ----------
    crop : Tensor
        (1, 1, S, S), float32.
    roi : Roi
        Box that the crop was cut from.

    Returns
    -------
    ndarray
        (h, w), float32: a pixel of the image each.
    """
    box = F.interpolate(crop, size=roi.shape, mode="bilinear", align_corners=True)
    pixels: NDArray[np.float32] = box[0, 0].cpu().numpy()
    return pixels


def crop_clicks(clicks: Sequence[Click], roi: Roi, size: int) -> NDArray[np.float32]:
    """Clicked pixels as points of a crop.

    Parameters
    ----------
    clicks : sequence of Click
        In pixels of the image; fractions are rounded to the pixel.
    roi : Roi
        Box that the crop is cut from.
    size : int
        Side of the crop, in pixels.

    Returns
    -------
    ndarray
        (2n, 3), float32: rows (row, col, order) in pixels of the crop, the n positive
        ones first, then n negative ones; -1 pads. n is at least 1.
    """
    pixels = np.array([clicked_pixel(click) for click in clicks]).reshape(-1, 2)
    order = np.arange(len(clicks))
    origin = (roi.row_min, roi.col_min)
    points = np.column_stack([size * (pixels - origin) / roi.shape, order])
    positive = np.array([click.is_positive for click in clicks], dtype=bool)
    groups = points[positive], points[~positive]
    padded = np.full((2, max(1, *map(len, groups)), 3), -1, dtype=np.float32)
    for row, group in zip(padded, groups, strict=True):
        row[: len(group)] = group
    return padded.reshape(-1, 3)


def _grid(
    first: int, last: int, size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Left and right neighbour of each grid position, and the weight of the right."""
    position = np.linspace(first, last, size)
    left = np.floor(position).astype(np.intp)
    return left, np.minimum(left + 1, last), (position - left).astype(np.float32)


def _blend(
    near: NDArray[np.float32], far: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return near + weight * (far - near), in the memory of `far`."""
    far -= near
    far *= weight
    far += near
    return far


def _inside(click: Click, roi: Roi) -> bool:
    """Whether a crop still holds a click; like the published one, not on its end."""
    row, col = clicked_pixel(click)
    return roi.row_min <= row < roi.row_max and roi.col_min <= col < roi.col_max


def _overlap(a: Roi, b: Roi) -> float:
    """IoU of the rows times IoU of the columns: the published overlap of two boxes."""
    return _span_iou(a[:2], b[:2]) * _span_iou(a[2:], b[2:])


def _span_iou(a: tuple[int, int], b: tuple[int, int]) -> float:
    shared = min(a[1], b[1]) - max(a[0], b[0]) + 1
    return max(shared, 0) / (max(a[1], b[1]) - min(a[0], b[0]) + 1)
