"""Plane: which two-dimensional slice of an n-dimensional array is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from napari_simpleclick.types import Roi

INDEX_ALL = ":"


@dataclass(frozen=True, slots=True)
class Plane:
    """A slice that keeps two axes of an array and fixes all others.

    Rows run along the first kept axis and columns along the second, whatever way
    round a viewer displays them, so that one slice is always the same plane.

    Parameters
    ----------
    position : tuple of int or None
        One entry an axis: the fixed index, or None for the two kept axes.

    Raises
    ------
    ValueError
        If not exactly two entries are None or an index is negative.
    """

    position: tuple[int | None, ...]

    def __post_init__(self) -> None:
        if self.position.count(None) != 2:
            raise ValueError(f"position: {self.position}, expected two None entries")
        if any(index is not None and index < 0 for index in self.position):
            raise ValueError(f"position: {self.position}, expected no negative index")

    @classmethod
    def through(cls, point: Sequence[float], axes: Collection[int]) -> Self:
        """Return the plane along two axes that holds a point.

        Parameters
        ----------
        point : sequence of float
            Array coordinates, one an axis; rounded to the nearest index, of two to the
            even one, as in napari.
        axes : collection of int
            The two axes that the plane keeps.
        """
        return cls(
            tuple(
                None if axis in axes else round(float(value))
                for axis, value in enumerate(point)
            )
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote, e.g. ``"30,:,:"``.

        Raises
        ------
        ValueError
            If the text is no such index.
        """
        parts = [part.strip() for part in text.split(",")]
        try:
            return cls(tuple(None if p == INDEX_ALL else int(p) for p in parts))
        except ValueError as error:
            raise ValueError(f"slice {text!r}, expected one like '30,:,:'") from error

    def __str__(self) -> str:
        return ",".join(INDEX_ALL if i is None else str(i) for i in self.position)

    @property
    def axes(self) -> tuple[int, int]:
        """The row axis and the column axis."""
        row, col = (axis for axis, i in enumerate(self.position) if i is None)
        return row, col

    @property
    def index(self) -> tuple[int | slice, ...]:
        """Index that takes the (H, W) slice, or a view of it, from an array."""
        return tuple(slice(None) if i is None else i for i in self.position)

    def part(self, box: Roi) -> tuple[int | slice, ...]:
        """Index that takes a box of the slice, or a view of it, from an array."""
        inside = iter(box.slices)
        return tuple(next(inside) if i is None else i for i in self.position)

    def fits(self, shape: Sequence[int]) -> bool:
        """Say whether an array of this shape has this slice."""
        return len(shape) == len(self.position) and all(
            i is None or i < size for i, size in zip(self.position, shape, strict=True)
        )

    def project(self, point: Sequence[float]) -> tuple[float, float]:
        """Return row and column, in pixels, of a point in array coordinates."""
        row, col = self.axes
        return float(point[row]), float(point[col])

    def lift(self, row: float, col: float) -> tuple[float, ...]:
        """Return the array coordinates of a pixel of the slice."""
        inside = iter((row, col))
        return tuple(next(inside) if i is None else float(i) for i in self.position)
