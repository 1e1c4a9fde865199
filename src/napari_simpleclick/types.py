"""The four values that travel between the floors: Click, Roi, Sample, Prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
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


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a model answers to a list of clicks, and all it needs for the next one.

    Parameters
    ----------
    probability : ndarray
        (H, W), float32 in [0, 1]: probability of the object at each pixel.
    roi : Roi or None
        The crop the model looked at; None before any zoom-in.
    """

    probability: NDArray[np.float32]
    roi: Roi | None = None

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
        return self.probability > threshold
