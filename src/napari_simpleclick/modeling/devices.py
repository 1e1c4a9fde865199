"""choose_device: where to compute, without PyTorch where that cannot be a GPU."""

from __future__ import annotations

import ctypes
import sys
from importlib.metadata import version
from typing import Literal

Device = Literal["auto", "cpu", "cuda", "mps"]


def choose_device(device: Device = "auto") -> str:
    """Return the device that a name stands for.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "mps"}
        "auto" is the first CUDA device where there is one, else the CPU.

    Returns
    -------
    str
        "cpu", "cuda" or "mps".

    Raises
    ------
    ValueError
        If the device is unknown, or this computer or this build of torch lacks it.
    """
    if device == "cpu" or (device == "auto" and not has_gpu_driver()):
        return "cpu"
    import torch  # which takes seconds

    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    name = ("cuda" if available["cuda"] else "cpu") if device == "auto" else device
    if not available.get(name, False):
        usable = ", ".join(place for place, is_there in available.items() if is_there)
        raise ValueError(f"device: {device!r} is not available here; usable: {usable}")
    return name


def has_gpu_driver() -> bool:
    """Tell whether PyTorch might find a CUDA device; without its import."""
    if "rocm" in version("torch"):  # for AMD's GPUs, which it calls CUDA devices too
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
