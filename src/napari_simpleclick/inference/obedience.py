"""Clicks are obeyed: the clicked pixels get the clicked class, whatever the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.transforms import clicked_pixel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_simpleclick.types import Click

CONFIDENCE = 0.75
"""Least probability of the clicked class around a click."""


def obey_clicks(
    probability: NDArray[np.float32],
    clicks: Iterable[Click],
    radius: tuple[float, float],
) -> None:
    """Correct a probability map around clicks; where two meet, the later one counts.

    Parameters
    ----------
    probability : ndarray
        (H, W), float32 in [0, 1]; changed in place.
    clicks : iterable of Click
        In pixels of the map, in the order in which they were made.
    radius : tuple of float
        Half axes of the ellipse around a click, along rows and columns, in pixels. The
        clicked pixel itself is always in it.
    """
    for click in clicks:
        row, col = clicked_pixel(click)
        down, across = (max(int(reach), 0) for reach in radius)
        top, left = max(row - down, 0), max(col - across, 0)
        box = probability[top : row + down + 1, left : col + across + 1]
        rows, cols = np.ogrid[: box.shape[0], : box.shape[1]]
        near = ((rows + top - row) / (down + 0.5)) ** 2 + (
            (cols + left - col) / (across + 0.5)
        ) ** 2 <= 1
        if click.is_positive:
            box[near] = np.maximum(box[near], CONFIDENCE)
        else:
            box[near] = np.minimum(box[near], 1 - CONFIDENCE)
