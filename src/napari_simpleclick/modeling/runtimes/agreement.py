"""measure_agreement: whether a runtime answers as torch in float32 does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.modeling.runtimes.runtime import Compute

LEAST_AGREEMENT: Final = 0.99
"""A runtime below it is not used."""

SLICE_VERSION: Final = 2
"""To be raised with every change of the made-up slice, its clicks or its mask."""

_THRESHOLD: Final = 0.49
_SEED: Final = 0
_CLICKS: Final = ((0.45, 0.55, True), (0.52, 0.63, True), (0.30, 0.30, False))
"""Row and column over the side of the slice, and the sign."""

_ELLIPSES: Final = (
    (0.45, 0.55, 0.22, 0.13, 0.25),
    (0.20, 0.20, 0.08, 0.06, 0.22),
    (0.75, 0.30, 0.07, 0.09, 0.18),
    (0.80, 0.80, 0.06, 0.08, 0.25),
    (0.20, 0.85, 0.08, 0.05, -0.20),
)
"""Row, column, half axes, each over the side of the slice; and contrast."""


def measure_agreement(compute: Compute, expected: NDArray[np.float32]) -> float:
    """Compare a runtime's answer to the made-up slice with the one that is right.

    Parameters
    ----------
    compute : Compute
        What is in question.
    expected : ndarray
        (1, 1, S, S), float32: `reference_answer` of the network itself in float32, on
        the CPU.

    Returns
    -------
    float
        In [0, 1]: IoU of the two masks; or one less the mean difference of the two
        probabilities, where that is lower, as for a network that finds nothing. 0 where
        a logit is not finite.
    """
    ours = reference_answer(compute, expected.shape[-1])
    if not np.isfinite(ours).all():
        return 0.0
    mask, other = ours > _THRESHOLD, expected > _THRESHOLD
    union = np.count_nonzero(mask | other)
    iou = np.count_nonzero(mask & other) / union if union else 1.0
    return min(iou, 1 - float(np.abs(ours - expected).mean()))


def reference_answer(compute: Compute, size: int) -> NDArray[np.float32]:
    """Answer three clicks on the made-up slice.

    Parameters
    ----------
    compute : Compute
        The network, in any runtime.
    size : int
        Side of the slice in pixels.

    Returns
    -------
    ndarray
        (1, 1, size, size), float32 in [0, 1]: probability.
    """
    probability: NDArray[np.float32] = expit(compute(*reference_inputs(size)))
    return probability


def reference_inputs(
    size: int, clicks: int = len(_CLICKS)
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Make up a slice, clicks on it, and an answer to all but the last of them.

    Parameters
    ----------
    size : int
        Side in pixels.
    clicks : int
        How many, 1 to 3.

    Returns
    -------
    image : ndarray
        (1, 3, size, size), float32 in [0, 1]: bright and dark ellipses in a shaded,
        noisy ground.
    prev_mask : ndarray
        (1, 1, size, size), float32 in [0, 1]: the clicked ellipse, drawn too large and
        with a soft edge; empty before the first click.
    points : ndarray
        (1, 2n, 3), float32, as `encode_clicks` takes them.
    """
    image = np.tile(_slice(size), (1, 3, 1, 1))
    row, col, down, across, _ = _ELLIPSES[0]
    before = _soft_ellipse(size, row, col, 1.2 * down, 1.2 * across)
    prev_mask = (before * (clicks > 1)).astype(np.float32)[None, None]
    points = np.full((2, clicks, 3), -1, dtype=np.float32)
    for order, (row, col, is_positive) in enumerate(_CLICKS[:clicks]):
        points[0 if is_positive else 1, order] = row * size, col * size, order
    return image, prev_mask, points.reshape(1, -1, 3)


def _slice(size: int) -> NDArray[np.float32]:
    """Draw the slice, (size, size)."""
    rows, cols = np.mgrid[:size, :size] / size
    grey = 0.4 + 0.1 * np.sin(3 * cols + 1) + 0.08 * np.cos(4 * rows)
    for row, col, down, across, contrast in _ELLIPSES:
        grey += contrast * _soft_ellipse(size, row, col, down, across)
    # The old generator: numbers of the new one may change with numpy's versions.
    grey += np.random.RandomState(_SEED).normal(scale=0.03, size=grey.shape)
    seen: NDArray[np.float32] = np.clip(grey, 0, 1).astype(np.float32)
    return seen


def _soft_ellipse(
    size: int, row: float, col: float, down: float, across: float
) -> NDArray[np.float64]:
    """Draw an ellipse, 1 inside and 0 outside; places are over the side."""
    rows, cols = np.mgrid[:size, :size] / size
    level = ((rows - row) / down) ** 2 + ((cols - col) / across) ** 2
    drawn: NDArray[np.float64] = expit(20 * (1 - level))
    return drawn
