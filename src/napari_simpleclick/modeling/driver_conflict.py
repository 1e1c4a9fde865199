"""Keeps the compiler in PyTorch's packages apart from the one in the OpenGL driver.

On Linux, Mesa's OpenGL driver and Triton, which torch imports where it is installed,
each bring a copy of LLVM. Once a window is open, Triton's library would take symbols
from the driver's copy, and the process dies of a segmentation fault.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Final

from napari_simpleclick.modeling.shared_libraries import folders_of, open_library

_LOG = logging.getLogger(__name__)
_LIBRARY: Final = "_C/libtriton*.so"


def load_triton_apart() -> None:
    """Load Triton's library bound to its own symbols; before torch is imported.

    Only the library: Triton finds it loaded, should anything import it. Does nothing
    where there is no Triton or it is loaded already.

    References
    ----------
    dlopen(3), RTLD_DEEPBIND. The same clash with another program's LLVM is described
    in https://github.com/tensorflow/tensorflow/issues/124205.
    """
    if sys.platform != "linux" or "triton" in sys.modules:
        return
    libraries = [f for place in folders_of("triton") for f in place.glob(_LIBRARY)]
    for library in libraries:
        if not open_library(library, os.RTLD_NOW | os.RTLD_DEEPBIND):
            _LOG.warning("Triton could not be loaded: %s", library)
