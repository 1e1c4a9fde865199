"""The voxel grid of a NIfTI file, and the way to the grid on display and back."""

# mypy: untyped-calls-exclude=nibabel
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import nibabel as nib
import numpy as np
from nibabel import orientations

from napari_simpleclick.io.units import PIXEL, canonical_unit, convert_length, is_length

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class NiftiGrid:
    """Where the voxels of a NIfTI file lie, in the file and on display.

    The file stores (x, y, z[, t, ...]). The display takes (..., z, y, x), where the
    rows of napari run downwards: z towards inferior, y towards posterior, x towards the
    patient's left. Heads are upright, axial slices show anterior up and the patient's
    left on the right, as radiologists read them, and 3D shows no mirror image. Axes are
    swapped and flipped, never interpolated: an oblique volume shows its own slices,
    named by the nearest anatomical axes. A file that knows no orientation (qform and
    sform codes 0) is only transposed.

    Parameters
    ----------
    header : nibabel header
        The file's NIfTI-1 or NIfTI-2 header, with extensions; not to be changed.
    path : Path or None
        The file, None for a grid made here.
    """

    header: nib.Nifti1Header
    path: Path | None = None

    @classmethod
    def plain(
        cls, shape: Sequence[int], scale: Sequence[float], units: Sequence[str]
    ) -> NiftiGrid:
        """Make a grid of unknown orientation.

        Parameters
        ----------
        shape, scale : sequence
            Voxels and voxel size along each axis as displayed, (..., z, y, x).
        units : sequence of str
            Canonical units of the scale. NIfTI knows no nanometres: lengths up to
            micrometres are stored in micrometres, others in millimetres.
        """
        header = nib.Nifti1Header()
        header.set_data_shape(tuple(shape)[::-1])
        length = "um" if units[-1] in ("angstrom", "nm", "um") else "mm"
        sizes = [
            convert_length(size, unit, length) if is_length(unit) else size
            for size, unit in zip(scale, units, strict=True)
        ]
        header.set_zooms(sizes[::-1])
        space = {"um": "micron", "mm": "mm"}[length] if is_length(units[-1]) else None
        time = {"s": "sec", "ms": "msec", "us": "usec"}.get(units[0])
        header.set_xyzt_units(space, time)
        return cls(header)

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis on display, (..., z, y, x); at least three axes."""
        return self._displayed_order(_padded(self.header.get_data_shape()))

    @property
    def scale(self) -> tuple[float, ...]:
        """Voxel size along each axis on display; 1 where the file says none."""
        count = len(self.shape)
        # The shortest decimal of the float32: 2.2, not 2.200000047683716.
        sizes = [abs(float(str(size))) for size in self.header["pixdim"][1 : count + 1]]
        return self._displayed_order(
            [size if 0 < size < np.inf else 1.0 for size in sizes]
        )

    @property
    def units(self) -> tuple[str, ...]:
        """Canonical unit of each axis on display; lengths without a unit are in mm."""
        try:
            space, time = self.header.get_xyzt_units()
        except KeyError:  # a code that the standard does not have
            space, time = "unknown", "unknown"
        length = "mm" if space == "unknown" else canonical_unit(space)
        leading = (*[PIXEL] * (len(self.shape) - 4), canonical_unit(time))
        return (*leading[: len(self.shape) - 3], length, length, length)

    @property
    def directions(self) -> str:
        """Where each stored axis of space runs to, such as "LPS"; "" if unknown.

        Raises
        ------
        ValueError
            If the affine that says so is not made of finite numbers.
        """
        if not (self.header["qform_code"] > 0 or self.header["sform_code"] > 0):
            return ""
        affine = self.header.get_best_affine()
        if not np.isfinite(affine).all():
            raise ValueError("its affine has numbers that are not finite")
        stored = orientations.io_orientation(affine)
        if np.isnan(stored).any():  # an affine without volume says no directions
            return ""
        return "".join(orientations.ornt2axcodes(stored))

    @property
    def displayed_affine(self) -> NDArray[np.float64]:
        """From voxels (x, y, z) on display to the world, (4, 4), in the file's unit."""
        shape = _padded(self.header.get_data_shape())[:3]
        affine: NDArray[np.float64] = (
            self.header.get_best_affine()
            @ orientations.inv_ornt_aff(self._orientation(), shape)
        )
        return affine

    def to_display(self, voxels: NDArray[np.generic]) -> NDArray[np.generic]:
        """Turn voxels as stored, (x, y, z[, t, ...]), to (..., z, y, x): a view."""
        padded = voxels.reshape(_padded(voxels.shape))
        displayed: NDArray[np.generic] = orientations.apply_orientation(
            padded, self._orientation()
        ).T
        return displayed

    def to_stored(self, voxels: NDArray[np.generic]) -> NDArray[np.generic]:
        """Turn voxels on display, ([..., t,] z, y, x), to the file's order: a view.

        Raises
        ------
        ValueError
            If the shape is not that of the grid, leading axes (time) left out or not.
        """
        spatial = voxels.ndim >= min(3, len(self.header.get_data_shape()))
        stored = voxels.T.reshape(_padded(voxels.shape[::-1]))
        if not spatial or stored.shape[::-1] != self.shape[-stored.ndim :]:
            raise ValueError(
                f"labels have shape {voxels.shape}; expected that of their image, "
                f"{self.shape}, with or without its leading axes"
            )
        inverse = orientations.ornt_transform(
            orientations.axcodes2ornt("RAS"), self._orientation()
        )
        shape: tuple[int, ...] = self.header.get_data_shape()[: stored.ndim]
        turned: NDArray[np.generic] = orientations.apply_orientation(stored, inverse)
        return turned.reshape(shape)

    def _orientation(self) -> NDArray[np.float64]:
        """Axis on display and direction of each stored axis, (3, 2), as nibabel's."""
        if not self.directions:
            unknown: NDArray[np.float64] = orientations.axcodes2ornt("RAS")
            return unknown
        displayed: NDArray[np.float64] = orientations.ornt_transform(
            orientations.axcodes2ornt(self.directions), orientations.axcodes2ornt("LPI")
        )
        return displayed

    def _displayed_order(self, values: Sequence[T]) -> tuple[T, ...]:
        """Bring one value for each stored axis to the order on display."""
        targets = self._orientation()[:, 0].astype(int)
        space = [values[int(stored)] for stored in np.argsort(targets)]
        return (*values[:2:-1], *space[::-1])


def _padded(shape: Sequence[int]) -> tuple[int, ...]:
    """Shape with at least three axes."""
    return (*shape, *(1,) * (3 - len(shape)))
