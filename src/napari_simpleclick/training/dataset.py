"""The endless training set: canvas number i, drawn from real or made-up slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from napari_simpleclick.training.canvas import Canvas, draw_canvas
from napari_simpleclick.training.synthesis import paint, synthetic_slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.training.packing import LabelledVolume

LARGEST_SLICE = 640
"""Pixels; longer slices are mostly cut at random before use."""

PAINTED_SHARE = 0.15
"""Of the canvases that are not real, those from label maps of real anatomy."""


class CanvasDataset(Dataset[tuple[Tensor, Tensor]]):
    """Canvases by number: the same number and seed always give the same canvas.

    Parameters
    ----------
    volumes : sequence of LabelledVolume
        Real data; may be empty. Every source is drawn equally often.
    size : int
        Side of the canvas in pixels.
    seed : int
        Base of all random numbers.
    real_fraction : float
        Share of canvases from real images, in [0, 1].
    """

    def __init__(
        self,
        volumes: Sequence[LabelledVolume],
        *,
        size: int = 384,
        seed: int = 0,
        real_fraction: float = 0.5,
    ) -> None:
        self.size = size
        self.seed = seed
        self.real_fraction = real_fraction
        self._real = _by_source([v for v in volumes if v.image is not None])
        self._painted = _by_source([v for v in volumes if v.image is None])

    def __len__(self) -> int:
        return 2**62

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Draw one canvas.

        Returns
        -------
        image : Tensor
            (C, C), uint8.
        mask : Tensor
            (C, C), bool.
        """
        rng = np.random.default_rng((self.seed, index))
        canvas: Canvas | None = None
        while canvas is None:
            image, labels = self._slice(rng)
            canvas = draw_canvas(rng, image, labels, self.size)
        return torch.from_numpy(canvas.image), torch.from_numpy(canvas.mask)

    def _slice(
        self, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
        sources = self._sources(rng)
        if not sources:
            return synthetic_slice(rng)
        volume, place = _place(rng, sources)
        if volume.image is None:
            labels = volume.labels[place].astype(np.int32)
            return paint(rng, labels), labels
        image = volume.image[place].astype(np.float32) / np.float32(255)
        return image, volume.labels[place]

    def _sources(self, rng: np.random.Generator) -> Sources:
        """Choose real images, label maps to paint, or nothing: make up a slice."""
        if self._real and rng.random() < self.real_fraction:
            return self._real
        return self._painted if rng.random() < PAINTED_SHARE else ()


Sources = tuple[tuple["LabelledVolume", ...], ...]


def _by_source(volumes: Sequence[LabelledVolume]) -> Sources:
    names = sorted({volume.source for volume in volumes})
    return tuple(tuple(v for v in volumes if v.source == name) for name in names)


def _place(
    rng: np.random.Generator, sources: Sources
) -> tuple[LabelledVolume, tuple[int | slice, ...]]:
    """Choose a source, a volume of it, and a slice of that as an index."""
    volumes = sources[rng.integers(len(sources))]
    volume = volumes[rng.integers(len(volumes))]
    axis = int(rng.choice(volume.axes))
    place = [_cut(rng, side) for side in volume.labels.shape]
    position = int(rng.integers(volume.labels.shape[axis]))
    return volume, (*place[:axis], position, *place[axis + 1 :])


def _cut(rng: np.random.Generator, side: int) -> slice:
    kept = min(side, LARGEST_SLICE if rng.random() < 0.7 else side)
    start = int(rng.integers(side - kept + 1))
    return slice(start, start + kept)
