"""Slices to draw canvases from: of volumes, of label maps painted anew, or made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_simpleclick.training.regions import stable_regions
from napari_simpleclick.training.synthesis import paint, synthetic_slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.training.labelled_volume import LabelledVolume

    Slice = tuple[NDArray[np.float32], NDArray[np.integer]]

LARGEST_SLICE = 640
"""Pixels; longer slices are mostly cut at random before use."""

MOST_DRAWS = 20
"""Slices that are searched for a stable region."""


class SliceSource(Protocol):
    """Anything that gives labelled slices."""

    def draw(self, rng: np.random.Generator) -> Slice:
        """Draw one slice.

        Parameters
        ----------
        rng : Generator
            Source of all randomness: the same state gives the same slice.

        Returns
        -------
        image : ndarray
            (H, W), float32, about [0, 1].
        labels : ndarray
            (H, W), small integers: 0 is background, every other value one object.
        """
        ...


class SyntheticSlices:
    """Made-up slices."""

    def draw(self, rng: np.random.Generator) -> Slice:
        """Make up one slice."""
        return synthetic_slice(rng)


class VolumeSlices:
    """Slices of labelled volumes; those without an image are painted at random.

    Parameters
    ----------
    volumes : sequence of LabelledVolume
        At least one. Every data set among them is drawn equally often.
    """

    def __init__(self, volumes: Sequence[LabelledVolume]) -> None:
        names = sorted({volume.source for volume in volumes})
        self._sources = tuple(
            tuple(v for v in volumes if v.source == name) for name in names
        )

    def draw(self, rng: np.random.Generator) -> Slice:
        """Choose a data set, a volume of it, and a slice of that."""
        volumes = self._sources[rng.integers(len(self._sources))]
        volume = volumes[rng.integers(len(volumes))]
        place = _place(rng, volume)
        if volume.image is None:
            labels = volume.labels[place].astype(np.int32)
            return paint(rng, labels), labels
        image = volume.image[place].astype(np.float32) / np.float32(255)
        return image, volume.labels[place]


class RegionSlices:
    """Slices of volumes with their stable regions for labels, see `regions`.

    Parameters
    ----------
    volumes : sequence of LabelledVolume
        With images, at least one. Their labels are not looked at.
    """

    def __init__(self, volumes: Sequence[LabelledVolume]) -> None:
        self._slices = VolumeSlices(volumes)

    def draw(self, rng: np.random.Generator) -> Slice:
        """Draw slices until one has a region; not for ever, so it may have none."""
        for _ in range(MOST_DRAWS):
            image, _ = self._slices.draw(rng)
            labels = stable_regions(rng, image)
            if labels.any():
                break
        return image, labels


def random_window(rng: np.random.Generator, side: int) -> slice:
    """Cut one axis of a slice: mostly to `LARGEST_SLICE`, sometimes not at all."""
    kept = min(side, LARGEST_SLICE if rng.random() < 0.7 else side)
    start = int(rng.integers(side - kept + 1))
    return slice(start, start + kept)


def _place(rng: np.random.Generator, volume: LabelledVolume) -> tuple[int | slice, ...]:
    axis = int(rng.choice(volume.axes))
    place = [random_window(rng, side) for side in volume.labels.shape]
    position = int(rng.integers(volume.labels.shape[axis]))
    return (*place[:axis], position, *place[axis + 1 :])
