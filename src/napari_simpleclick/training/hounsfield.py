"""is_ct: whether an image is in Hounsfield units, from its values alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CT_WINDOW: Final = (-200.0, 300.0)
"""Hounsfield units shown from black to white: soft tissue."""

LOWEST: Final = -1200
"""Hounsfield units; air is -1000, with noise and what resampling adds."""

MOST_BELOW: Final = 0.01
"""Share of a CT that may be below, what it is padded with apart."""

LEAST_GAS: Final = 0.002
"""Share of a CT in some 100 units of air or lung; few, where it is cut to the body."""

GAP: Final = 1.5
"""That share by one between lung and fat, where no tissue is."""

LEAST_TISSUE: Final = 0.05
"""Share of a CT in each of some two 100 units of `CT_WINDOW`, as of fat and muscle."""


def is_ct(image: NDArray[np.generic]) -> bool:
    """Tell CT in Hounsfield units from other images that reach below zero.

    CT has air or lung and soft tissue, less of what is between, and nothing lower than
    air but one value that pads it, such as -2048 or -3024 around a round field of view.
    Phases and signed micrographs go lower; in filtered images, which are centred on
    zero, there is the less the lower.

    Parameters
    ----------
    image : ndarray
        Any shape and real dtype; values that are not finite do not count.
    """
    if image.dtype.kind not in "if":
        return False
    values = image[np.isfinite(image)].astype(np.float32)
    if values.size == 0:
        return False
    lowest = values.min()
    below = np.count_nonzero((values < LOWEST) & (values != lowest))
    counts, _ = np.histogram(values, 15, (LOWEST, CT_WINDOW[1]))
    gas, between, tissue = np.split(counts / values.size, (5, 10))
    return bool(
        below <= MOST_BELOW * values.size
        and gas.max() >= max(LEAST_GAS, GAP * between.min())
        and np.sort(tissue)[-2] >= LEAST_TISSUE
    )
