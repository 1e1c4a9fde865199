"""How sure a mean over objects is: bootstrap over the images that they lie on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


class Interval(NamedTuple):
    """Lower and upper ends, (m,), float64."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def bootstrap_interval(
    values: ArrayLike,
    images: Sequence[str],
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    n_draws: int = 2000,
) -> Interval:
    """Percentile interval of the mean over objects, resampling whole images.

    Objects on one image are alike, so it is the images that are drawn.

    Parameters
    ----------
    values : array_like
        (n_objects, m): m measures of each object.
    images : sequence of str
        The image of each object.
    rng : Generator
        Source of the draws.
    level : float
        Share of the draws within the interval, in (0, 1).
    n_draws : int
        Number of bootstrap samples.

    Returns
    -------
    Interval
        For each measure; both ends are the mean where there is one image only.

    Raises
    ------
    ValueError
        If there is no object, or not one image for each.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or not len(table) or len(images) != len(table):
        raise ValueError(
            f"values, images: shape {table.shape}, {len(images)}, expected (n, m), n"
        )
    names, which = np.unique(np.asarray(images), return_inverse=True)
    sums = np.zeros((len(names), table.shape[1]))
    np.add.at(sums, which, table)
    even = np.full(len(names), 1 / len(names))
    drawn = rng.multinomial(len(names), even, size=n_draws)
    means = (drawn @ sums) / (drawn @ np.bincount(which))[:, None]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Interval(low, high)
