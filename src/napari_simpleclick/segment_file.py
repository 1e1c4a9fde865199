"""segment_file: a volume and a file of clicks in, a mask file out."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from time import perf_counter
from typing import TYPE_CHECKING

from napari_simpleclick.inference.intensity import display_range
from napari_simpleclick.inference.loading import load_predictor
from napari_simpleclick.inference.plane import Plane
from napari_simpleclick.inference.session import PlacedClick, Target
from napari_simpleclick.inference.volume import segment_volume
from napari_simpleclick.io.atomic import check_writable
from napari_simpleclick.io.clicks_file import read_clicks
from napari_simpleclick.io.files import check_suffix, read_volume, write_mask
from napari_simpleclick.io.units import convert_length, is_length
from napari_simpleclick.io.volume import one_volume

if TYPE_CHECKING:
    from collections.abc import Sized
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_simpleclick.io.clicks_file import VolumeClick
    from napari_simpleclick.io.volume import Volume
    from napari_simpleclick.modeling.devices import Device
    from napari_simpleclick.modeling.runtimes.runtime import RuntimeChoice


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedVolume:
    """A volume, its mask, and how it came about.

    Parameters
    ----------
    image : Volume
        Three axes (z, y, x), grey.
    labels : ndarray
        (z, y, x), uint16.
    clicks : list of PlacedClick
        In the order in which they took effect.
    limits : tuple of float
        Values that the model saw as black and white.
    seconds : float
        For all clicks, without loading.
    output : Path
        The mask file.
    """

    image: Volume
    labels: NDArray[np.uint16]
    clicks: list[PlacedClick]
    limits: tuple[float, float]
    seconds: float
    output: Path

    def summary(self) -> str:
        """Describe the result: one line an object, then time and file."""
        object_ids = {c.target.object_id for c in self.clicks}
        lines = [self._object_line(object_id) for object_id in sorted(object_ids)]
        milliseconds = 1000 * self.seconds / max(len(self.clicks), 1)
        lines.append(f"{_count(self.clicks, 'click')}, {milliseconds:.0f} ms each")
        lines.append(f"mask: {self.output}")
        return "\n".join(lines)

    def _object_line(self, object_id: int) -> str:
        clicks = [c for c in self.clicks if c.target.object_id == object_id]
        targets = {c.target for c in clicks}
        where = f"{_count(clicks, 'click')} on {_count(targets, 'slice')}"
        return f"object {object_id}: {where}, {self._size(object_id)}"

    def _size(self, object_id: int) -> str:
        """Voxels and volume; of a single slice, which may have no thickness, area."""
        voxels = int((self.labels == object_id).sum())
        first, name, unit = 0, "voxel", "mm\u00b3"
        if len(self.labels) == 1:
            first, name, unit = 1, "pixel", "mm\u00b2"
        scale, units = self.image.scale[first:], self.image.units[first:]
        if not all(map(is_length, units)):
            return f"{voxels} {name}s"
        sides = map(convert_length, scale, units, ("mm",) * len(units))
        return f"{voxels} {name}s, {voxels * prod(sides):.3g} {unit}"


def segment_file(
    volume: Path,
    clicks: Path,
    output: Path,
    *,
    model: str | Path = "default",
    device: Device = "auto",
    runtime: RuntimeChoice = "auto",
    index: int = 0,
) -> SegmentedVolume:
    """Segment a volume file from a file of clicks and write the mask.

    Parameters
    ----------
    volume : Path
        NIfTI or TIFF, grey, (z, y, x), or with a time axis in front.
    clicks : Path
        JSON, see `io.clicks_file`.
    output : Path
        NIfTI or TIFF; a NIfTI mask of a NIfTI volume keeps its affine.
    model : str or Path
        Name or file of a checkpoint.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute.
    runtime : str
        What computes, as for `load_predictor`.
    index : int
        Which volume along a time axis.

    Returns
    -------
    SegmentedVolume
        What was written, with the image.

    Raises
    ------
    OSError, ValueError
        If a file is missing, broken or of another kind, or a click lies outside; or
        if `output` cannot be written, or is the volume itself.
    """
    _check_output(output, volume)
    image = one_volume(read_volume(volume), index)
    placed = [place(click) for click in read_clicks(clicks, image.data.shape)]
    limits = display_range(image.data)
    predictor = load_predictor(model, device=device, runtime=runtime)
    start = perf_counter()
    labels = segment_volume(image.data, placed, predictor, limits=limits)
    seconds = perf_counter() - start
    write_mask(output, labels, image)
    return SegmentedVolume(image, labels, placed, limits, seconds, output)


def _check_output(output: Path, volume: Path) -> None:
    """Refuse, before it is computed, a mask that cannot or must not be written."""
    check_suffix(output)
    check_writable(output)
    if output.exists() and output.samefile(volume):
        raise ValueError(f"{output} is the volume; expected another file for the mask")


def place(click: VolumeClick) -> PlacedClick:
    """Return a click of a file as a click of a session."""
    axes = [axis for axis in range(3) if axis != click.axis]
    plane = Plane.through(click.position, axes)
    return PlacedClick(click.click, Target(click.object_id, plane))


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"
