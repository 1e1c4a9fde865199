"""Shared libraries of Python packages, found and loaded without an import."""

from __future__ import annotations

import ctypes
import os
from importlib.util import find_spec
from pathlib import Path


def folders_of(package: str) -> list[Path]:
    """Return where a package lies, without importing it; nothing if it is missing."""
    spec = find_spec(package)
    places = None if spec is None else spec.submodule_search_locations
    return [Path(place) for place in places or ()]


def open_library(path: Path, mode: int) -> bool:
    """Load a library for good, while other threads go on; not on Windows.

    Parameters
    ----------
    path : Path
        The file. It must not use Python while it is loaded.
    mode : int
        Flags of dlopen(3).

    Returns
    -------
    bool
        Whether it is loaded.
    """
    # ctypes.CDLL would hold on to the interpreter: a call of a C function does not.
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype = ctypes.c_void_p
    dlopen.argtypes = [ctypes.c_char_p, ctypes.c_int]
    return dlopen(os.fsencode(path), mode) is not None
