"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a file to write that takes the place of another once it is complete.

    A crash, a full disk or an exception in the block leaves the old file as it was.

    Parameters
    ----------
    path : path-like
        The file to create or replace, in a folder that exists. A link is followed.

    Yields
    ------
    Path
        A new name in the same folder, with the same suffixes.
    """
    target = Path(path).resolve()
    partial = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name}")
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
