"""StoredTensor: a tensor that still lies in a file, as a window into a storage."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from types import MappingProxyType

import torch

from napari_simpleclick.modeling.checkpoint_error import CheckpointError

STORAGE_DTYPES = MappingProxyType(
    {
        "torch.DoubleStorage": torch.float64,
        "torch.FloatStorage": torch.float32,
        "torch.HalfStorage": torch.float16,
        "torch.BFloat16Storage": torch.bfloat16,
        "torch.LongStorage": torch.int64,
        "torch.IntStorage": torch.int32,
        "torch.ShortStorage": torch.int16,
        "torch.CharStorage": torch.int8,
        "torch.ByteStorage": torch.uint8,
        "torch.BoolStorage": torch.bool,
    }
)
"""Element type of every storage class that a file may name."""

_MAX_SIZE = 2**48
_MAX_DIMENSIONS = 8


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers that lies in the file beside the pickle.

    Parameters
    ----------
    key : str
        Name of the storage within the file.
    dtype : torch.dtype
        Type of its elements.
    size : int
        Number of elements.

    Raises
    ------
    CheckpointError
        If the size is no size that a file could have.
    """

    key: str
    dtype: torch.dtype
    size: int

    def __post_init__(self) -> None:
        if not 0 <= self.size <= _MAX_SIZE:
            raise CheckpointError("holds a storage of impossible size")

    @property
    def nbytes(self) -> int:
        """Length in bytes."""
        return self.size * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor as a window into a storage, within its bounds.

    Parameters
    ----------
    storage : Storage
        Where the elements are.
    offset : int
        Index of the first element.
    shape, stride : tuple of int
        Of equal length; strides in elements, not negative.

    Raises
    ------
    CheckpointError
        If the window is malformed or reaches beyond the storage.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self._is_inside():
            raise CheckpointError("holds a tensor that reaches beyond its own numbers")

    def _is_inside(self) -> bool:
        size = self.storage.size
        numbers = (self.offset, *self.shape, *self.stride)
        if not len(self.shape) == len(self.stride) <= _MAX_DIMENSIONS:
            return False
        if any(
            type(number) is not int or not 0 <= number <= size for number in numbers
        ):
            return False
        count = prod(self.shape)
        steps = zip(self.shape, self.stride, strict=True)
        last = self.offset + sum((length - 1) * step for length, step in steps)
        return count == 0 or (count <= size and last < size)
