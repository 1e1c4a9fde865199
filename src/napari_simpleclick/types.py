"""The four values that travel between the floors: Click, Roi, Sample, Prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
        whole = np.zeros(self.shape, self.inside.dtype)
        whole[self.box.slices] = self.inside
        return whole

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
