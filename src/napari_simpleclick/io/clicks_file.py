"""Clicks on a volume as a JSON file, to segment it again without the viewer.

::

    {
      "format": "napari-simpleclick clicks",
      "version": 1,
      "clicks": [
        {"object": 1, "axis": 0, "position": [12, 120.5, 88], "positive": true},
        {"object": 1, "axis": 0, "position": [12, 100, 60], "positive": false}
      ]
    }

Clicks take effect in the order of the list. ``position`` is (z, y, x) in voxels of the
volume as napari shows it, integers at voxel centres; ``axis`` (0, 1 or 2: z, y or x) is
the one that the slice is perpendicular to, ``object`` the label, 1 or above.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_simpleclick.io.atomic import replacing
from napari_simpleclick.io.decoding import decoding
from napari_simpleclick.types import Click

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

_FORMAT: Final = "napari-simpleclick clicks"
_VERSION: Final = 1
_KEYS: Final = ("object", "axis", "position", "positive")


@dataclass(frozen=True, slots=True)
class VolumeClick:
    """One click on one slice of a volume, for one object.

    Parameters
    ----------
    object_id : int
        Label of the object, at least 1.
    axis : int
        0, 1 or 2: the axis that the slice is perpendicular to.
    position : tuple of float
        (z, y, x) in voxels, integers at voxel centres, at least -0.5.
    is_positive : bool
        True where the voxel belongs to the object, False where it does not.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    object_id: int
    axis: int
    position: tuple[float, float, float]
    is_positive: bool = True

    def __post_init__(self) -> None:
        if not _is_integer(self.object_id) or self.object_id < 1:
            raise ValueError(f"object is {self.object_id!r}; expected 1, 2, 3 ...")
        if not _is_integer(self.axis) or self.axis not in (0, 1, 2):
            raise ValueError(f"axis is {self.axis!r}; expected 0, 1 or 2")
        if len(self.position) != 3 or not all(map(_is_coordinate, self.position)):
            raise ValueError(
                f"position is {list(self.position)}; expected three numbers [z, y, x] "
                "of at least -0.5"
            )
        if not isinstance(self.is_positive, bool):
            raise ValueError(
                f"positive is {self.is_positive!r}; expected true or false"
            )

    @property
    def click(self) -> Click:
        """The click on its slice: rows and columns are the other axes, in order."""
        row, col = (p for i, p in enumerate(self.position) if i != self.axis)
        return Click(row, col, self.is_positive)


def read_clicks(
    path: str | os.PathLike[str], shape: Sequence[int] | None = None
) -> list[VolumeClick]:
    """Read a file of clicks.

    Parameters
    ----------
    path : path-like
        A JSON file as this module describes.
    shape : sequence of int, optional
        Shape (z, y, x) of the volume, that every click must lie in.

    Returns
    -------
    list of VolumeClick
        In the order in which they take effect.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is another, or a click is wrong: named by its index, from 0.
    """
    path = Path(path)
    with decoding(path, "JSON"):
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(f'{path} is no file of clicks; expected "format": "{_FORMAT}"')
    if content.get("version") != _VERSION:
        raise ValueError(
            f"{path} has version {content.get('version')!r}; expected {_VERSION}"
        )
    entries = content.get("clicks")
    if not isinstance(entries, list):
        raise ValueError(f"{path}: clicks is {entries!r}; expected a list")
    clicks = []
    for index, entry in enumerate(entries):
        try:
            clicks.append(_from_entry(entry, shape))
        except ValueError as error:
            raise ValueError(f"{path}: clicks[{index}]: {error}") from error
    return clicks


def write_clicks(path: str | os.PathLike[str], clicks: Sequence[VolumeClick]) -> None:
    """Write clicks for `read_clicks`, one a line, whole or not at all."""
    lines = ",\n".join("    " + json.dumps(_to_entry(click)) for click in clicks)
    with replacing(path) as partial:
        partial.write_text(
            f'{{\n  "format": "{_FORMAT}",\n  "version": {_VERSION},\n'
            f'  "clicks": [\n{lines}\n  ]\n}}\n',
            encoding="utf-8",
        )


def _from_entry(entry: Any, shape: Sequence[int] | None) -> VolumeClick:
    if not isinstance(entry, dict) or set(entry) != set(_KEYS):
        raise ValueError(f"got {entry!r}; expected an object with {', '.join(_KEYS)}")
    position = entry["position"]
    if not isinstance(position, list):
        raise ValueError(f"position is {position!r}; expected [z, y, x]")
    click = VolumeClick(
        entry["object"], entry["axis"], tuple(position), entry["positive"]
    )
    if shape is not None and any(
        p >= n - 0.5 for p, n in zip(click.position, shape, strict=True)
    ):
        raise ValueError(
            f"position is {position}, outside the volume of shape {tuple(shape)}"
        )
    return click


def _to_entry(click: VolumeClick) -> dict[str, object]:
    values = (click.object_id, click.axis, click.position, click.is_positive)
    return dict(zip(_KEYS, values, strict=True))


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_coordinate(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -0.5 <= value < math.inf
