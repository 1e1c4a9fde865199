"""import_torch: the one way to import PyTorch, which a window outlives."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_simpleclick.modeling.driver_conflict import load_triton_apart
from napari_simpleclick.modeling.shared_libraries import folders_of, open_library

if TYPE_CHECKING:
    from collections.abc import Iterator


def import_torch() -> None:
    """Import torch, which takes seconds: apart from an OpenGL driver, in any thread.

    To be called by whatever imports torch no sooner than it needs it. A window that is
    open stays alive meanwhile.
    """
    load_triton_apart()
    load_torch_libraries()
    with paused_collection():
        import torch  # noqa: F401


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
