"""Keeps the compiler in PyTorch's packages apart from the one in the OpenGL driver.

On Linux, Mesa's OpenGL driver and Triton, which torch imports where it is installed,
each bring a copy of LLVM. Once a window is open, Triton's library would take symbols
from the driver's copy, and the process dies of a segmentation fault.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from importlib.util import find_spec

_LOG = logging.getLogger(__name__)


def load_triton_apart() -> None:
    """Load Triton bound to its own symbols; to be called before torch is imported.

    Does nothing where there is no Triton or it is loaded already.

    References
    ----------
    dlopen(3), RTLD_DEEPBIND. The same clash with another program's LLVM is described
    in https://github.com/tensorflow/tensorflow/issues/124205.
    """
    if sys.platform != "linux" or "triton" in sys.modules or not find_spec("triton"):
        return
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
    try:
        import_module("triton._C.libtriton")
    except ImportError as error:
        _LOG.warning("Triton could not be loaded: %s", error)
    finally:
        sys.setdlopenflags(flags)
