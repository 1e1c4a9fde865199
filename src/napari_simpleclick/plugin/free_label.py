"""A label for a new object: one that a Labels layer can hold and does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from napari.layers import Labels
    from numpy.typing import NDArray

_AT_ONCE: Final = 2**16  # labels to look for in one pass over a layer


def free_label(
    labels: Labels, used: Collection[int] = (), highest: int | None = None
) -> int:
    """Return the label after the highest; the lowest free one if it does not fit.

    Parameters
    ----------
    labels : Labels
        The layer.
    used : collection of int
        Labels that are not free, whether the layer holds them or not.
    highest : int or None
        No label of the layer is above it; None to look for the highest.

    Raises
    ------
    ValueError
        If the layer's data type has no other label.
    """
    largest = int(np.iinfo(labels.data.dtype).max)
    held = int(np.max(labels.data)) if highest is None else highest
    highest = max(0, held, *used)
    if highest < largest:
        return highest + 1
    for begin in range(1, largest + 1, _AT_ONCE):
        end = min(begin + _AT_ONCE - 1, largest)
        is_free = _free_between(begin, end, labels, used)
        if is_free.any():
            return begin + int(is_free.argmax())
    raise ValueError(
        f"Labels layer {labels.name!r} has no free label: all from 1 to {largest} "
        f"({labels.data.dtype}) are in use. Use its context menu to convert the data "
        "type, then press Start again."
    )


def _free_between(
    begin: int, end: int, labels: Labels, used: Collection[int]
) -> NDArray[np.bool_]:
    """Say which labels of begin, ..., end are free."""
    is_free = np.ones(end - begin + 1, bool)
    is_free[[label - begin for label in used if begin <= label <= end]] = False
    for part in _parts(labels.data):
        held = part[(part >= begin) & (part <= end)]
        is_free[(held - begin).astype(np.intp)] = False
    return is_free


def _parts(data: Any) -> Iterator[NDArray[np.integer]]:
    """Read data, which may be lazy, slice by slice."""
    if data.ndim == 2:
        yield np.asarray(data)
        return
    for index in range(data.shape[0]):
        yield np.asarray(data[index])
