"""Voxel size in TIFF metadata, as ImageJ, OME and plain TIFF files state it."""

from __future__ import annotations

import logging
import math
from typing import Final
from xml.etree import ElementTree

import tifffile

from napari_simpleclick.io.units import PIXEL, canonical_unit, convert_length, is_length

_LOG = logging.getLogger(__name__)
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}

Sizes = dict[str, tuple[float, str]]
"""For axis letters X, Y, Z and T: size and canonical unit."""


def voxel_sizes(file: tifffile.TiffFile) -> Sizes:
    """Read the size of a voxel along the axes that the file knows.

    Lengths are in one unit. Resolution tags count only in centimetres: inches are the
    resolution of a printer, mostly 72 or 300 dots, and no size of a specimen. OME-XML
    that is broken gives none, and a warning is logged.
    """
    if file.is_ome and file.ome_metadata:
        return in_one_unit(_ome_sizes(_ome_pixels(file.ome_metadata, file.filename)))
    page = file.pages.first
    x, y = (
        _number(f"{1 / count:.7g}") if count > 0 else 0 for count in page.resolution
    )
    if file.is_imagej and file.imagej_metadata:
        return _imagej_sizes(file.imagej_metadata, x, y)
    if page.resolutionunit == tifffile.RESUNIT.CENTIMETER and x and y:
        x, y = (convert_length(size, "cm", "um") for size in (x, y))
        return {"X": (x, "um"), "Y": (y, "um"), "Z": (x, "um")}
    return {}


def _imagej_sizes(metadata: dict[str, object], x: float, y: float) -> Sizes:
    unit = canonical_unit(metadata.get("unit"))
    lengths = {"X": x, "Y": y, "Z": _number(metadata.get("spacing"))}
    sizes = {axis: (length or 1.0, unit) for axis, length in lengths.items()}
    interval = _number(metadata.get("finterval"))
    return sizes | ({"T": (interval, "s")} if interval else {})


def _ome_pixels(xml: str, name: str) -> ElementTree.Element | None:
    """Find the element that tells the sizes, none in XML that is broken."""
    try:
        return ElementTree.fromstring(xml).find(".//{*}Pixels")
    except ElementTree.ParseError as error:
        _LOG.warning("%s tells no voxel size: its OME-XML is broken (%s)", name, error)
        return None


def _ome_sizes(pixels: ElementTree.Element | None) -> Sizes:
    sizes: Sizes = {}
    if pixels is None:
        return sizes
    for axis, key, usual in (
        ("X", "PhysicalSizeX", "um"),
        ("Y", "PhysicalSizeY", "um"),
        ("Z", "PhysicalSizeZ", "um"),
        ("T", "TimeIncrement", "s"),
    ):
        if size := _number(pixels.get(key)):
            sizes[axis] = size, canonical_unit(pixels.get(f"{key}Unit", usual))
    return sizes


def _number(value: object) -> float:
    """Read a size in metadata, 0.0 where it is none; ImageJ's sign does not count."""
    try:
        size = abs(float(str(value)))
    except ValueError:
        return 0.0
    return size if size < math.inf else 0.0


def in_one_unit(sizes: Sizes) -> Sizes:
    """Convert lengths to the unit of X, so that the axes compare."""
    unit = sizes.get("X", (1.0, PIXEL))[1]
    return {
        axis: (convert_length(size, own, unit), unit)
        if is_length(own) and is_length(unit)
        else (size, own)
        for axis, (size, own) in sizes.items()
    }


def label_axes(ndim: int, units: tuple[str, ...]) -> str:
    """Name 2 to 4 axes of labels; of three the first is time if it is not as the last.

    That is: if its unit is one of time, or not one of length, but that of the last is.
    """
    first, last = units[0], units[-1]
    if ndim == 3 and (first in _SECONDS or is_length(first) < is_length(last)):
        return "TYX"
    return "TZYX"[-ndim:]


def imagej_metadata(axes: str, sizes: Sizes) -> dict[str, object]:
    """Give ImageJ's description of axes and sizes, but for X and Y: those are tags."""
    metadata: dict[str, object] = {"axes": axes, "unit": sizes["X"][1]}
    if "Z" in sizes:
        metadata["spacing"] = sizes["Z"][0]
    interval, unit = sizes.get("T", (1.0, PIXEL))
    if unit in _SECONDS:  # ImageJ's interval is in seconds
        metadata["finterval"] = float(f"{interval * _SECONDS[unit]:.12g}")
    return metadata


def ome_metadata(axes: str, sizes: Sizes) -> dict[str, object]:
    """Give the OME attributes of axes and sizes."""
    metadata: dict[str, object] = {"axes": axes}
    symbols = {"um": "µm", "us": "µs", "angstrom": "Å", "inch": "in"}
    for axis, (size, unit) in sizes.items():
        if axis == "T" and unit == PIXEL:  # an interval that is not known
            continue
        key = "TimeIncrement" if axis == "T" else f"PhysicalSize{axis}"
        metadata[key] = size
        metadata[f"{key}Unit"] = symbols.get(unit, unit)
    return metadata
