"""The four values that travel between the floors: Click, Roi, Sample, Prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    """What networks are given, and what they answer."""


@dataclass(frozen=True, slots=True)
class Click:
    """One click of a user on one slice.

    Parameters
    ----------
    row, col : float
        Position in pixels of the slice; integers are pixel centres.
    is_positive : bool
        True where the pixel belongs to the object, False where it does not.
    """

    row: float
    col: float
    is_positive: bool = True


class Roi(NamedTuple):
    """A box of pixels: rows and columns, both ends inclusive."""

    row_min: int
    row_max: int
    col_min: int
    col_max: int

    @classmethod
    def around(cls, mask: NDArray[np.bool_]) -> Self | None:
        """Return the smallest box of all true pixels of a mask, (H, W), if any."""
        rows = np.flatnonzero(mask.any(axis=1))
        if not len(rows):
            return None
        first, last = int(rows[0]), int(rows[-1])
        cols = np.flatnonzero(mask[first : last + 1].any(axis=0))
        return cls(first, last, int(cols[0]), int(cols[-1]))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.row_max - self.row_min + 1, self.col_max - self.col_min + 1

    @property
    def slices(self) -> tuple[slice, slice]:
        """The box as an index into an array of shape (H, W)."""
        return (
            slice(self.row_min, self.row_max + 1),
            slice(self.col_min, self.col_max + 1),
        )

    def shared(self, other: Roi) -> Roi | None:
        """Return the box of pixels that are also in another box, if any."""
        both = Roi(
            max(self.row_min, other.row_min),
            min(self.row_max, other.row_max),
            max(self.col_min, other.col_min),
            min(self.col_max, other.col_max),
        )
        return both if min(both.shape) > 0 else None

    def joined(self, other: Roi) -> Roi:
        """Return the smallest box of all pixels of this and another one."""
        return Roi(
            min(self.row_min, other.row_min),
            max(self.row_max, other.row_max),
            min(self.col_min, other.col_min),
            max(self.col_max, other.col_max),
        )

    def moved(self, down: int, right: int) -> Roi:
        """Return the box so many pixels further down and to the right."""
        return Roi(
            self.row_min + down,
            self.row_max + down,
            self.col_min + right,
            self.col_max + right,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One object on one image, with its ground truth.

    Parameters
    ----------
    name : str
        Unique within its data set; names the image and the object.
    image : ndarray
        (H, W) or (H, W, 3), uint8, or float32 in [0, 1].
    mask : ndarray
        (H, W), bool: the object.
    """

    name: str
    image: NDArray[np.generic]
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Prediction:
    """What a model answers to a list of clicks, and all it needs for the next one.

    It holds the part of the image where the object may be, so that an answer about a
    small object is small, however large the image.

    Parameters
    ----------
    probability : ndarray
        (h, w), float32 in [0, 1]: probability of the object at each pixel of the box.
    roi : Roi or None
        The crop the model looked at; None before any zoom-in.
    box : Roi or None
        The pixels that `probability` is about; it is 0 at all others. None for all.
    shape : tuple of int or None
        Height and width of the image, in pixels; None for those of `probability`.

    Attributes
    ----------
    inside : ndarray
        (h, w), float32: the probability in the box.

    Raises
    ------
    ValueError
        If the box does not have the probability's shape, or is not in the image.
    """

    inside: NDArray[np.float32]
    box: Roi
    shape: tuple[int, int]
    roi: Roi | None

    def __init__(
        self,
        probability: NDArray[np.float32],
        roi: Roi | None = None,
        *,
        box: Roi | None = None,
        shape: tuple[int, int] | None = None,
    ) -> None:
        height, width = probability.shape if shape is None else shape
        if box is None:
            box = Roi(0, height - 1, 0, width - 1)
        _check_box(box, probability.shape, (height, width))
        object.__setattr__(self, "inside", probability)
        object.__setattr__(self, "box", box)
        object.__setattr__(self, "shape", (height, width))
        object.__setattr__(self, "roi", roi)

    @property
    def probability(self) -> NDArray[np.float32]:
        """Probability of the object at each pixel of the image: (H, W), float32."""
        if self.box.shape == self.shape:
            return self.inside
        height, width = self.shape
        return self.within(Roi(0, height - 1, 0, width - 1))

    def within(self, box: Roi) -> NDArray[np.float32]:
        """Probability in another box than the one that is held.

        Parameters
        ----------
        box : Roi
            Part of the image.

        Returns
        -------
        ndarray
            (h, w), float32 in [0, 1]; a view where all of it is held.
        """
        shared, held = box.shared(self.box), self.box
        if shared == box:
            return self.inside[box.moved(-held.row_min, -held.col_min).slices]
        part = np.zeros(box.shape, self.inside.dtype)
        if shared is not None:
            from_held = shared.moved(-held.row_min, -held.col_min).slices
            to = shared.moved(-box.row_min, -box.col_min).slices
            part[to] = self.inside[from_held]
        return part

    def mask_box(self, threshold: float) -> tuple[NDArray[np.bool_], Roi] | None:
        """Pixels whose probability is above the threshold; None where there are none.

        Parameters
        ----------
        threshold : float
            In [0, 1].

        Returns
        -------
        mask : ndarray
            (h, w), bool.
        box : Roi
            The part of the image that it is about: the smallest that holds them all.
        """
        mask = self.inside > threshold
        held = Roi.around(mask)
        if held is None:
            return None
        return mask[held.slices], held.moved(self.box.row_min, self.box.col_min)

    def mask(self, threshold: float = 0.49) -> NDArray[np.bool_]:
        """Pixels whose probability is above the threshold.

        Parameters
        ----------
        threshold : float
            In [0, 1]; 0.49 is the value of the published evaluation.

        Returns
        -------
        ndarray
            (H, W), bool.
        """
        mask = np.zeros(self.shape, bool)
        mask[self.box.slices] = self.inside > threshold
        return mask


def _check_box(box: Roi, shape: tuple[int, ...], image: tuple[int, int]) -> None:
    is_inside = min(box.row_min, box.col_min) >= 0 and (
        box.row_max < image[0] and box.col_max < image[1]
    )
    if not is_inside or box.shape != shape:
        raise ValueError(
            f"box: {box}, expected one of shape {shape} in an image of shape {image}"
        )
