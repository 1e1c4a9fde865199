"""Imports torch beside an open window: sooner, and with the window alive."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def paused_collection() -> Iterator[None]:
    """Collect no garbage for a while, in any thread.

    Imports make many objects and little garbage, but every so often Python looks
    through all objects, those of napari, too: a fifth of the time that torch takes.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def load_torch_libraries() -> None:
    """Load the libraries of torch that know no Python, as torch does when imported.

    Python's own import would stop all threads meanwhile, the window's too. Does nothing
    where torch is imported already, or has no such libraries; only on Linux.

    References
    ----------
    torch/__init__.py, _load_global_deps: this library first, for all to see.
    """
    if sys.platform != "linux" or "torch" in sys.modules:
        return
    for folder in folders_of("torch"):
        open_library(
            folder / "lib" / "libtorch_global_deps.so", os.RTLD_NOW | os.RTLD_GLOBAL
        )
        open_library(folder / "lib" / "libtorch.so", os.RTLD_NOW)


def folders_of(package: str) -> list[Path]:
    """Return where a package lies, without importing it; nothing if it is missing."""
    spec = find_spec(package)
    places = None if spec is None else spec.submodule_search_locations
    return [Path(place) for place in places or ()]


def open_library(path: Path, mode: int) -> bool:
    """Load a library for good, while other threads go on.

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
