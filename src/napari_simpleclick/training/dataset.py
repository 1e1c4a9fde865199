"""The endless training set: canvas number i, drawn from real or made-up slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from napari_simpleclick.training.canvas import draw_canvas
from napari_simpleclick.training.slices import (
    RegionSlices,
    SyntheticSlices,
    VolumeSlices,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_simpleclick.training.labelled_volume import LabelledVolume
    from napari_simpleclick.training.slices import Slice, SliceSource

PAINTED_SHARE = 0.15
"""Of the canvases that are not real, those from label maps of real anatomy."""

REGION_SHARE = 0.25
"""Of the canvases from real images, those whose objects are not the labelled ones."""

MOST_TRIES = 2000
"""Slices without a large enough object after which the sources are given up."""


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
    source : SliceSource or None
        Where all slices come from, such as a `Mixture`; None for `volumes` and made-up
        slices, as `real_fraction` says.

    Raises
    ------
    ValueError
        If both `volumes` and `source` are given, or the share is none.
    """

    def __init__(
        self,
        volumes: Sequence[LabelledVolume] = (),
        *,
        size: int = 384,
        seed: int = 0,
        real_fraction: float = 0.5,
        source: SliceSource | None = None,
    ) -> None:
        if source is not None and volumes:
            raise ValueError("source: expected None, as volumes are given")
        self.size = size
        self.seed = seed
        self.source = source or RealOrSynthetic(volumes, real_fraction)

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

        Raises
        ------
        ValueError
            If the slices hold no object that is large enough.
        """
        rng = np.random.default_rng((self.seed, index))
        for _ in range(MOST_TRIES):
            image, labels = self.source.draw(rng)
            canvas = draw_canvas(rng, image, labels, self.size)
            if canvas is not None:
                return torch.from_numpy(canvas.image), torch.from_numpy(canvas.mask)
        raise ValueError(
            f"source: no object large enough to train on in {MOST_TRIES} slices"
        )


class RealOrSynthetic:
    """Slices of volumes for a share of the canvases, made-up ones for the rest.

    Parameters
    ----------
    volumes : sequence of LabelledVolume
        May be empty. Those without an image are painted, for a share `PAINTED_SHARE` of
        the canvases that are not real.
    real_fraction : float
        Share of slices from real images, in [0, 1]; those come with their stable
        regions instead of their labels for a share `REGION_SHARE`.
    """

    def __init__(self, volumes: Sequence[LabelledVolume], real_fraction: float) -> None:
        if not 0 <= real_fraction <= 1:
            raise ValueError(
                f"real_fraction: {real_fraction}, expected a number in [0, 1]"
            )
        self.real_fraction = real_fraction
        real = [v for v in volumes if v.image is not None]
        painted = [v for v in volumes if v.image is None]
        self._real = VolumeSlices(real) if real else None
        self._regions = RegionSlices(real) if real else None
        self._painted = VolumeSlices(painted) if painted else None
        self._synthetic = SyntheticSlices()

    def draw(self, rng: np.random.Generator) -> Slice:
        """Draw a slice of a real image, of a label map to paint, or a made-up one."""
        if self._real and self._regions and rng.random() < self.real_fraction:
            is_region = rng.random() < REGION_SHARE
            return (self._regions if is_region else self._real).draw(rng)
        if rng.random() < PAINTED_SHARE and self._painted:
            return self._painted.draw(rng)
        return self._synthetic.draw(rng)
