"""Units of length and time under the many names that files and napari give them."""

from __future__ import annotations

from typing import Final

PIXEL: Final = "pixel"

_ALIASES: Final = {
    "angstrom": ("a", "å", "ångström"),
    "nm": ("nanometer", "nanometers", "nanometre"),
    "um": ("micrometer", "micrometers", "micrometre", "micron", "microns"),
    "mm": ("millimeter", "millimeters", "millimetre"),
    "cm": ("centimeter", "centimeters", "centimetre"),
    "m": ("meter", "meters", "metre"),
    "inch": ("in", "inches"),
    "us": ("microsecond", "usec"),
    "ms": ("millisecond", "msec"),
    "s": ("second", "seconds", "sec"),
    "min": ("minute", "minutes"),
}
_CANONICAL: Final = {
    name: unit for unit, names in _ALIASES.items() for name in (unit, *names)
}
_MILLIMETERS: Final = {
    "angstrom": 1e-7,
    "nm": 1e-6,
    "um": 1e-3,
    "mm": 1.0,
    "cm": 10.0,
    "m": 1000.0,
    "inch": 25.4,
}


def canonical_unit(name: object) -> str:
    r"""Name a unit as this package does, and as napari understands.

    Parameters
    ----------
    name : object
        Its name or symbol, as text or as an object that prints as such: ``"µm"``,
        ``"micron"``, ImageJ's ``"\u00B5m"`` or napari's unit objects.

    Returns
    -------
    str
        ``angstrom nm um mm cm m inch us ms s min``, or ``pixel`` for any other.
    """
    text = str(name).strip().lower().replace(r"\u00b5", "u")
    return _CANONICAL.get(text.replace("µ", "u").replace("μ", "u"), PIXEL)


def is_length(unit: str) -> bool:
    """Tell whether a canonical unit measures length; pixels do not."""
    return unit in _MILLIMETERS


def convert_length(value: float, unit: str, target: str) -> float:
    """Convert a length between two canonical units of length.

    The result has 12 significant digits, so that 0.05 um is 50 nm and not
    50.00000000000001 nm.
    """
    return float(f"{value * _MILLIMETERS[unit] / _MILLIMETERS[target]:.12g}")
