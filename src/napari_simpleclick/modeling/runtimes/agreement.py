"""measure_agreement: whether a runtime answers as torch in float32 does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_simpleclick.modeling.runtimes.runtime import Compute

LEAST_AGREEMENT: Final = 0.99
"""A runtime below it is not used."""

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
    """Compare a runtime's answer on the made-up slice with the one that is right.

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
    """Answer three clicks on the made-up slice, each from the answer before.

    Parameters
    ----------
    compute : Compute
        The network, in any runtime.
    size : int
        Side of the slice in pixels.

    Returns
    -------
    ndarray
        (1, 1, size, size), float32 in [0, 1]: probability after the last click.
    """
    probability = np.zeros((1, 1, size, size), dtype=np.float32)
    for image, points in reference_inputs(size):
        probability = expit(compute(image, probability, points))
    return probability


def reference_inputs(
    size: int,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield a made-up slice, again and again, and one click more each time.

    Parameters
    ----------
    size : int
        Side in pixels.

    Yields
    ------
    image : ndarray
        (1, 3, size, size), float32 in [0, 1]: bright and dark ellipses in a shaded,
        noisy ground.
    points : ndarray
        (1, 2n, 3), float32, as `encode_clicks` takes them.
    """
    image = np.tile(_slice(size), (1, 3, 1, 1))
    for count in range(1, len(_CLICKS) + 1):
        points = np.full((2, count, 3), -1, dtype=np.float32)
        for order, (row, col, is_positive) in enumerate(_CLICKS[:count]):
            points[0 if is_positive else 1, order] = row * size, col * size, order
        yield image, points.reshape(1, -1, 3)


def _slice(size: int) -> NDArray[np.float32]:
    """Draw the slice, (size, size)."""
    rows, cols = np.mgrid[:size, :size] / size
    grey = 0.4 + 0.1 * np.sin(3 * cols + 1) + 0.08 * np.cos(4 * rows)
    for row, col, down, across, contrast in _ELLIPSES:
        level = ((rows - row) / down) ** 2 + ((cols - col) / across) ** 2
        grey += contrast / (1 + np.exp(np.clip(20 * (level - 1), -50, 50)))
    grey += np.random.default_rng(_SEED).normal(scale=0.03, size=grey.shape)
    seen: NDArray[np.float32] = np.clip(grey, 0, 1).astype(np.float32)
    return seen
