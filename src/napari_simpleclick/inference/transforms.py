"""Zoom-in: which part of an image the network sees, and where its clicks lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_simpleclick.types import Click, Prediction, Roi

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


class CropInputs(NamedTuple):
    """What a click model sees of a batch of crops, in the order of its arguments.

    Parameters
    ----------
    image : ndarray
        (B, 3, S, S), float32 in [0, 1].
    prev_mask : ndarray
        (B, 1, S, S), float32 in [0, 1]: the previous probability, 0 at first.
    points : ndarray
        (B, 2n, 3), float32: rows (row, col, order) in pixels of the crop, first n
        positive, then n negative, -1 pads. Clicks outside the crop keep their place.
    """

    image: NDArray[np.float32]
    prev_mask: NDArray[np.float32]
    points: NDArray[np.float32]


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
    snap : int
        Sides of a new crop lie on a grid of 1/snap to 1/(2 snap) of their length, so
        that masks that hardly differ get the same crop; 0 for no grid.
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
    snap: int = 0
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

    def surroundings(
        self,
        crop: NDArray[np.float32],
        roi: Roi,
        clicks: Sequence[Click],
        radius: tuple[float, float],
    ) -> Roi:
        """Find what of a whole image's answer the next prediction can need.

        Parameters
        ----------
        crop : ndarray
            (S, S), float32: the probability, before `fill_box`.
        roi : Roi
            Box of the whole image.
        clicks : sequence of Click
            All clicks so far, in pixels of the image.
        radius : tuple of float
            How far around a click the probability may yet change, in pixels along rows
            and columns.

        Returns
        -------
        Roi
            A box that holds the next crop, whatever `roi` makes of the filled box.
        """
        cells = Roi.around(crop > self.threshold)
        if cells is None:
            return roi
        pixels = [clicked_pixel(click) for click in clicks if click.is_positive]
        spans = []
        for axis, (low, high) in enumerate((cells[:2], cells[2:])):
            step = (roi.shape[axis] - 1) / max(crop.shape[axis] - 1, 1)
            near, reach = [pixel[axis] for pixel in pixels], int(radius[axis]) + 1
            first = min([(low - 1) * step, *(x - reach for x in near)])
            last = max([(high + 1) * step, *(x + reach for x in near)])
            margin = max(
                (self.expansion - 1) / 2 * (last - first + 1), self.min_crop / 2
            )
            if self.snap:
                margin += (last - first + 1 + 2 * margin) / (2 * self.snap)
            spans += [math.floor(first - margin) - 1, math.ceil(last + margin) + 1]
        part = Roi(*spans).shared(roi) or roi
        return roi if _overlap(part, roi) >= self.recompute_iou else part

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
        return self._snapped(round(centre - half), round(centre + half))

    def _snapped(self, low: int, high: int) -> tuple[int, int]:
        cell = (high - low + 1) // self.snap if self.snap else 1
        if cell <= 1:
            return low, high
        cell = 2 ** (cell.bit_length() - 1)
        first, end = ((place + cell // 2) // cell * cell for place in (low, high + 1))
        return first, end - 1


def whole(shape: tuple[int, int]) -> Roi:
    """Box of a whole image of this (height, width), in pixels."""
    return Roi(0, shape[0] - 1, 0, shape[1] - 1)


def clicked_pixel(click: Click) -> tuple[int, int]:
    """(row, col) of the pixel that a click lies on; halves belong to the next one."""
    return math.floor(click.row + 0.5), math.floor(click.col + 0.5)


def box_around(click: Click, down: int, across: int) -> Roi:
    """Box of so many pixels to each side of a clicked one; it may leave the image."""
    row, col = clicked_pixel(click)
    return Roi(row - down, row + down, col - across, col + across)


def crop_clicks(
    clicks: Sequence[Click], roi: Roi, size: int, *, exact: bool = False
) -> NDArray[np.float32]:
    """Clicked pixels as points of a crop.

    Parameters
    ----------
    clicks : sequence of Click
        In pixels of the image; fractions are rounded to the pixel.
    roi : Roi
        Box that the crop is cut from.
    size : int
        Side of the crop, in pixels.
    exact : bool
        Put a click where `crop_image` puts its pixel. The published code, like False,
        puts those at the bottom and right a pixel of the image too far up and left.

    Returns
    -------
    ndarray
        (2n, 3), float32: rows (row, col, order) in pixels of the crop, the n positive
        ones first, then n negative ones; -1 pads. n is at least 1.
    """
    pixels = np.array([clicked_pixel(click) for click in clicks]).reshape(-1, 2)
    order = np.arange(len(clicks))
    places = pixels - (roi.row_min, roi.col_min)
    sides = np.array(roi.shape)
    if exact:
        places = (size - 1) * places / np.maximum(sides - 1, 1)
    else:
        places = size * places / sides
    points = np.column_stack([places, order])
    positive = np.array([click.is_positive for click in clicks], dtype=bool)
    groups = points[positive], points[~positive]
    padded = np.full((2, max(1, *map(len, groups)), 3), -1, dtype=np.float32)
    for row, group in zip(padded, groups, strict=True):
        row[: len(group)] = group
    return padded.reshape(-1, 3)


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
