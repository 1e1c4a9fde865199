"""From a labelled slice to a canvas: one object on a square, distorted image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from napari_simpleclick.training.annotators import part_of, redrawn
from napari_simpleclick.training.distortion import distort_intensity
from napari_simpleclick.training.noise import smooth_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float32]
    Mask = NDArray[np.bool_]

SMALLEST_AREA = 24
"""Pixels of the slice; smaller objects are passed over."""

SMALLEST_SHARE = 1e-4
"""Of the canvas, 4 pixels squared on 400; smaller objects are passed over."""

MANY_PIECES = 8
"""A label in more connected pieces is never one object as a whole."""

OTHERWISE_DRAWN = 0.12
"""Share of the objects whose edge is not where the image says, see `annotators`."""


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """What clicks are simulated on.

    Parameters
    ----------
    image : ndarray
        (C, C), uint8.
    mask : ndarray
        (C, C), bool: the object.
    """

    image: NDArray[np.uint8]
    mask: Mask


def draw_canvas(
    rng: np.random.Generator,
    image: Image,
    labels: NDArray[np.integer],
    size: int,
) -> Canvas | None:
    """Choose an object of a slice and lay it out on a canvas.

    Half of the canvases show the whole slice, as at the first click of a user; the
    others show a random part of it around the object.

    Parameters
    ----------
    rng : Generator
        Source of all randomness.
    image : ndarray
        (H, W), float32, about [0, 1].
    labels : ndarray
        (H, W), integers: 0 is background.
    size : int
        Side of the canvas in pixels.

    Returns
    -------
    Canvas or None
        None where the chosen object is too small.
    """
    mask = choose_object(rng, labels)
    if mask is None:
        return None
    if rng.random() < OTHERWISE_DRAWN:
        mask = (part_of if rng.random() < 0.5 else redrawn)(rng, mask)
    grid = sampling_grid(rng, mask, size)
    layers = torch.from_numpy(np.stack([image, mask.astype(np.float32)]))
    view = functional.grid_sample(
        layers[None], grid, mode="bilinear", align_corners=False
    )[0].numpy()
    drawn: Mask = view[1] > 0.5
    if np.count_nonzero(drawn) < SMALLEST_SHARE * size**2 or drawn.all():
        return None
    shown = distort_intensity(rng, view[0])
    return Canvas(np.rint(shown * 255).astype(np.uint8), drawn)


def choose_object(rng: np.random.Generator, labels: NDArray[np.integer]) -> Mask | None:
    """Choose a label, mostly one connected piece of it, rarely with a neighbour.

    Returns
    -------
    ndarray or None
        (H, W), bool; None where it is too small.
    """
    area = np.bincount(labels.ravel())
    area[0] = 0
    weight = np.where(area >= SMALLEST_AREA, area, 0) ** rng.choice([0.0, 0.0, 0.5])
    weight[area < SMALLEST_AREA] = 0
    if not weight.any():
        return None
    chosen = int(rng.choice(len(area), p=weight / weight.sum()))
    mask: Mask = labels == chosen
    pieces, count = ndimage.label(mask)
    if count > 1 and (count > MANY_PIECES or rng.random() < 0.7):
        inside = pieces[mask]
        mask = pieces == inside[rng.integers(len(inside))]
    if rng.random() < 0.06:
        mask = _with_neighbour(rng, labels, mask)
    if rng.random() < 0.15:
        mask = np.asarray(ndimage.binary_fill_holes(mask), dtype=bool)
    return mask if np.count_nonzero(mask) >= SMALLEST_AREA else None


def _with_neighbour(
    rng: np.random.Generator, labels: NDArray[np.integer], mask: Mask
) -> Mask:
    around = labels[ndimage.binary_dilation(mask, iterations=3) & ~mask]
    around = around[around > 0]
    if not len(around):
        return mask
    both = mask | (labels == rng.choice(around))
    both |= ndimage.binary_closing(both, iterations=2)
    pieces, _ = ndimage.label(both)
    joined: Mask = pieces == pieces[mask][0]
    return joined


def sampling_grid(rng: np.random.Generator, mask: Mask, size: int) -> torch.Tensor:
    """Choose where in the slice each pixel of the canvas lies.

    Returns
    -------
    Tensor
        (1, C, C, 2), float32: (x, y) for `grid_sample`, -1 and 1 are the slice's edges.
    """
    shape = np.array(mask.shape, float)
    centre, half = _whole(rng, shape) if rng.random() < 0.5 else _around(rng, mask)
    line = (np.arange(size) + 0.5) / size * 2 - 1
    offset = np.stack(np.meshgrid(line, line, indexing="ij"))
    offset = _flip(rng, offset)
    if rng.random() < 0.3:
        cells = int(rng.integers(3, 9))
        reach = rng.uniform(0, 0.3) / cells
        offset = offset + reach * np.stack(
            [smooth_noise(rng, size, cells) for _ in range(2)]
        )
    if rng.random() < 0.4:
        turn = rng.normal(0, 0.3) if rng.random() < 0.7 else rng.uniform(0, 2 * np.pi)
        cos, sin = np.cos(turn), np.sin(turn)
        offset = np.tensordot(np.array([[cos, sin], [-sin, cos]]), offset, axes=1)
    position = centre[:, None, None] + half[:, None, None] * offset
    scaled = position / shape[:, None, None] * 2 - 1
    grid = np.stack([scaled[1], scaled[0]], axis=-1).astype(np.float32)
    return torch.from_numpy(grid)[None]


def _whole(
    rng: np.random.Generator, shape: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return shape / 2, shape / 2 * rng.uniform(0.95, 1.05, 2)


def _around(
    rng: np.random.Generator, mask: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and half sides of a box 1.2 to 8 times as large as the object."""
    found = np.nonzero(mask)
    low = np.array([axis.min() for axis in found], float)
    high = np.array([axis.max() + 1 for axis in found], float)
    side = (high - low).max() * np.exp(rng.uniform(np.log(1.2), np.log(8)))
    side = min(max(side, 24.0), max(mask.shape))
    half = side / 2 * np.exp(rng.uniform(-0.2, 0.2, 2))
    slack = np.maximum(half - (high - low) / 2, 0)
    centre = (low + high) / 2 + slack * rng.uniform(-0.9, 0.9, 2)
    shape = np.array(mask.shape, float)
    inner = np.minimum(half, shape / 2)
    return centre.clip(inner, shape - inner), half


def _flip(rng: np.random.Generator, offset: NDArray[np.float64]) -> NDArray[np.float64]:
    if rng.random() < 0.5:
        offset = offset[::-1]
    signs = rng.choice([-1.0, 1.0], (2, 1, 1))
    flipped: NDArray[np.float64] = offset * signs
    return flipped
