"""What a broken file makes a decoder raise, as one sentence that names the file."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

_MEANINGLESS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
)
"""Errors that a decoder stumbles into; the messages of others are reasons."""


@contextmanager
def decoding(path: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """Explain whatever is raised in the block.

    Decoders trust what a file says of itself, so that a broken one ends in any error:
    KeyError, ZeroDivisionError, MemoryError and many more.

    Parameters
    ----------
    path : path-like
        The file that is decoded.
    kind : str
        Its format, such as "TIFF".

    Raises
    ------
    FileNotFoundError
        As it was raised.
    ValueError
        For any other error.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:  # no list of a decoder's errors was ever complete
        raise ValueError(
            f"{path} cannot be read as {kind}: {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "by what it says of its size, it is larger than the memory"
    if isinstance(error, _MEANINGLESS):
        return f"it is broken ({error!r}); expected one that was copied whole"
    return str(error)
