"""Sample volumes: a brain MRI that comes with nibabel, and an EM phantom."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.io.nifti import read_nifti
from napari_simpleclick.io.volume import Volume, one_volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.io.volume import LayerData

_PHANTOM_NANOMETERS: Final = (50.0, 5.0, 5.0)


def brain_mri() -> list[LayerData]:
    """Give napari the first volume of nibabel's own example, 24 x 96 x 128 voxels.

    Raises
    ------
    FileNotFoundError
        If nibabel is installed without its test data.
    """
    example = resources.files("nibabel").joinpath("tests/data/example4d.nii.gz")
    with resources.as_file(example) as path:
        first = one_volume(read_nifti(path), 0)
    return [replace(first, name="brain MRI").to_layer()]


def em_phantom() -> list[LayerData]:
    """Give napari an EM-like volume and, as labels, its mitochondria."""
    image, mitochondria = draw_em_phantom(np.random.default_rng(0))
    units = ("nm", "nm", "nm")
    return [
        Volume("EM phantom", image, _PHANTOM_NANOMETERS, units).to_layer(),
        Volume(
            "EM phantom ground truth",
            mitochondria,
            _PHANTOM_NANOMETERS,
            units,
            kind="labels",
        ).to_layer(),
    ]


def draw_em_phantom(
    rng: np.random.Generator, shape: tuple[int, int, int] = (32, 256, 256)
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw cells with dark membranes and mitochondria, as serial-section EM shows them.

    Voxels measure 50 x 5 x 5 nm. Cells are the Voronoi regions of random points;
    mitochondria are ellipsoids with a dark hull and folds, each inside one cell.

    Parameters
    ----------
    rng : Generator
        Source of every random number: same state, same volume.
    shape : tuple of int
        (z, y, x), at least 1 each.

    Returns
    -------
    image : ndarray
        (z, y, x), uint8 in [0, 255].
    mitochondria : ndarray
        (z, y, x), uint8: 0 outside, then 1, 2, 3 ... for each.
    """
    size = np.multiply(shape, _PHANTOM_NANOMETERS)
    grid = [
        (np.arange(count, dtype=np.float32) * step)
        for count, step in zip(shape, _PHANTOM_NANOMETERS, strict=True)
    ]
    points = np.meshgrid(*grid, indexing="ij", sparse=True)
    centres = rng.uniform(0, size, (24, 3)).astype(np.float32)
    cells, wall = _cells(points, centres)
    image = 165 - 110 * np.exp(-((wall / 14) ** 2))
    mitochondria = np.zeros(shape, np.uint8)
    for number, centre in enumerate(centres, start=1):
        radius, folds = _mitochondrion(points, centre, rng)
        inside = (radius < 1) & (cells == number) & (wall > 25)
        hull = 55 * np.exp(-(((1 - radius) / 0.12) ** 2))
        image = np.where(inside, 110 + 25 * folds - hull, image)
        mitochondria[inside] = number
    image += rng.normal(0, 14, shape)
    return np.clip(image, 0, 255).astype(np.uint8), mitochondria


def _cells(
    points: Sequence[NDArray[np.float32]], centres: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Find the number of the nearest centre, from 1, and about how far its wall is.

    The wall, in nanometres, is half the difference of the distances to the two nearest
    centres away.
    """
    shape: tuple[int, ...] = np.broadcast_shapes(*(axis.shape for axis in points))
    cells = np.zeros(shape, np.uint8)
    nearest: NDArray[np.float32] = np.full(shape, np.inf, np.float32)
    second = nearest
    for number, (z, y, x) in enumerate(centres, start=1):
        distance: NDArray[np.float32] = np.sqrt(
            (points[0] - z) ** 2 + (points[1] - y) ** 2 + (points[2] - x) ** 2
        )
        cells[distance < nearest] = number
        second = np.minimum(second, np.maximum(nearest, distance))
        nearest = np.minimum(nearest, distance)
    return cells, np.float32(0.5) * (second - nearest)


def _mitochondrion(
    points: Sequence[NDArray[np.float32]],
    centre: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw an ellipsoid: radius relative to its hull, and folds in [-1, 1]."""
    radii = rng.uniform((180, 90, 90), (320, 160, 160)).astype(np.float32)
    angle, phase = rng.uniform(0, np.pi, 2).astype(np.float32)
    z, y, x = (axis - at for axis, at in zip(points, centre, strict=True))
    v = np.cos(angle) * y + np.sin(angle) * x
    w = np.cos(angle) * x - np.sin(angle) * y
    radius = np.sqrt((z / radii[0]) ** 2 + (v / radii[1]) ** 2 + (w / radii[2]) ** 2)
    return radius, np.sin(v / 9 + 2 * np.sin(w / 40) + phase)
