"""choose_device: where to compute, without PyTorch where that cannot be a GPU."""

from __future__ import annotations

import ctypes
import sys
from typing import Literal

from napari_simpleclick.modeling.shared_libraries import folders_of
from napari_simpleclick.modeling.torch_import import import_torch

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
    if device == "cpu" or (device == "auto" and not may_have_gpu()):
        return "cpu"
    import_torch()
    import torch

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


def may_have_gpu() -> bool:
    """Tell whether torch might find a CUDA device; without its import.

    Its build has to be one for GPUs, of AMD or of NVIDIA, and there has to be NVIDIA's
    driver for the latter.
    """
    libraries = [folder / "lib" for folder in folders_of("torch")]
    if any(any(folder.glob("*torch_hip*")) for folder in libraries):
        return True
    if not any(any(folder.glob("*torch_cuda*")) for folder in libraries):
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
