"""The clicks layer: Points over an image whose features say what each click means.

The layer lies exactly over its image, so the data coordinates of both are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Points

from napari_simpleclick.inference.plane import Plane
from napari_simpleclick.inference.session import PlacedClick, Target
from napari_simpleclick.plugin.image_layer import image_shape, transforms
from napari_simpleclick.types import Click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.plugin.state import Sign

CLICKS_NAME = "clicks"
COLOURS = {"+": "#2ecc40", "-": "#ff4136"}
SYMBOLS = {"+": "disc", "-": "x"}


def new_clicks_layer(image: Image) -> Points:
    """Make an empty Points layer over an image."""
    shape = image_shape(image)
    return Points(
        np.empty((0, image.ndim)),
        ndim=image.ndim,
        name=CLICKS_NAME,
        features={"object": [], "sign": [], "slice": [], "order": []},
        size=float(np.clip(max(shape[-2:]) / 60, 1.5, 40)),
        border_color="white",
        border_width=0.1,
        **transforms(image),
    )


def placed(point: Sequence[float], target: Target, *, is_positive: bool) -> PlacedClick:
    """Return the click that a point means, on its slice along a target's axes.

    Parameters
    ----------
    point : sequence of float
        Data coordinates of the layer.
    target : Target
        The object, and the axes of the slice.
    is_positive : bool
        Sign of the click.
    """
    plane = Plane.through(point, target.plane.axes)
    click = Click(*plane.project(point), is_positive=is_positive)
    return PlacedClick(click, Target(target.object_id, plane))


def read_clicks(points: Points, indices: Sequence[int]) -> list[PlacedClick]:
    """Return clicks of a layer made by `new_clicks_layer`.

    The slice of a click is that of its coordinates, along the axes that its feature
    "slice" keeps.

    Parameters
    ----------
    points : Points
        The layer.
    indices : sequence of int
        Which points, in order; each inside the image, see `is_inside`.

    Raises
    ------
    ValueError
        If the layer has other features, or a slice has another number of axes.
    """
    if missing := {"object", "sign", "slice"} - set(points.features):
        raise ValueError(f"layer {points.name!r} lacks the features {sorted(missing)}")
    columns = [points.features[name].iloc for name in ("object", "sign", "slice")]
    rows = [(points.data[i], *(column[i] for column in columns)) for i in indices]
    return [
        _read(point, int(object_id), sign, Plane.parse(where))
        for point, object_id, sign, where in rows
    ]


def write_clicks(points: Points, clicks: Sequence[PlacedClick]) -> None:
    """Make a Points layer show these clicks; only what differs is touched."""
    data = np.array([_coordinates(c) for c in clicks]).reshape(-1, points.ndim)
    if not np.array_equal(points.data, data):
        points.selected_data = set()
        points.data = data
    signs = [_sign(c) for c in clicks]
    points.features = {
        "object": _labels([c.target.object_id for c in clicks]),
        "sign": signs,
        "slice": [str(c.target.plane) for c in clicks],
        "order": list(range(1, len(clicks) + 1)),
    }
    colours = np.array([_rgba(COLOURS[sign]) for sign in signs]).reshape(-1, 4)
    if not np.allclose(points.face_color, colours, atol=1e-3):
        points.face_color = colours
    symbols = [SYMBOLS[sign] for sign in signs]
    if [symbol.value for symbol in points.symbol] != symbols:
        points.symbol = symbols


def show_clicks_of(points: Points, clicks: Sequence[PlacedClick], axes: object) -> None:
    """Hide the clicks that were made on slices along other axes.

    Nothing is done while the layer holds other points than these clicks.
    """
    shown = np.array([c.target.plane.axes == axes for c in clicks], bool)
    if len(clicks) == len(points.data) and not np.array_equal(shown, points.shown):
        points.shown = shown


def is_inside(point: Sequence[float], shape: Sequence[int]) -> bool:
    """Say whether a point lies on a pixel of an image of this shape.

    Parameters
    ----------
    point : sequence of float
        Data coordinates of the layer.
    shape : sequence of int
        As many axes as the point has coordinates.
    """
    pairs = zip(point, shape, strict=True)
    return all(-0.5 <= value < size - 0.5 for value, size in pairs)


def _rgba(colour: str) -> tuple[float, ...]:
    """Return "#rrggbb" as numbers in [0, 1]."""
    return (*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0)


def _read(
    point: Sequence[float], object_id: int, sign: Sign, plane: Plane
) -> PlacedClick:
    if len(plane.position) != len(point):
        raise ValueError(f"slice {plane} of a click with {len(point)} coordinates")
    return placed(point, Target(object_id, plane), is_positive=sign == "+")


def _labels(object_ids: Sequence[int]) -> NDArray[np.integer]:
    """Return labels as integers; numpy makes those of two 64-bit types floats."""
    signed = max(object_ids, default=0) <= np.iinfo(np.int64).max
    return np.array(object_ids, np.int64 if signed else np.uint64)


def _coordinates(placed: PlacedClick) -> tuple[float, ...]:
    return placed.target.plane.lift(placed.click.row, placed.click.col)


def _sign(placed: PlacedClick) -> Sign:
    return "+" if placed.click.is_positive else "-"
