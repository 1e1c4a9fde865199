"""candidates: the rule by which "auto" tries one runtime after the other."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from napari_simpleclick.modeling.runtimes.openvino_compiled import import_openvino
from napari_simpleclick.modeling.runtimes.runtime import RuntimeRefusedError
from napari_simpleclick.modeling.runtimes.torch_eager import has_bfloat16

if TYPE_CHECKING:
    import torch

    from napari_simpleclick.modeling.runtimes.runtime import RuntimeName


def candidates(device: torch.device) -> tuple[RuntimeName, ...]:
    """List runtimes, the fastest first, as measured on processors and GPUs of the kind.

    On a CPU: OpenVINO where it is installed, in bfloat16 or float16 if the processor
    computes in it, then in float32; then torch, in bfloat16 if the processor does; then
    torch in float32. On CUDA: torch in bfloat16 from compute capability 8.0 on, else in
    float16; then in float32. Elsewhere, torch in float32.

    Parameters
    ----------
    device : torch.device
        Where to compute.

    Returns
    -------
    tuple of str
        At least one; torch in float32 is the last.
    """
    if device.type == "cuda":
        low: RuntimeName = "torch-bfloat16" if has_bfloat16(device) else "torch-float16"
        return (low, "torch-float32")
    if device.type != "cpu":
        return ("torch-float32",)
    names: list[RuntimeName] = [*_of_openvino()]
    if has_bfloat16(device):
        names.append("torch-bfloat16")
    return (*names, "torch-float32")


def _of_openvino() -> tuple[RuntimeName, ...]:
    """Those of OpenVINO that this processor is made for; none where not installed."""
    if find_spec("openvino") is None:
        return ()
    try:
        openvino = import_openvino()
    except RuntimeRefusedError:  # to be told when it is opened
        return ("openvino-float32",)
    found = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" in found:
        return ("openvino-bfloat16", "openvino-float32")
    if "FP16" in found:
        return ("openvino-float16", "openvino-float32")
    return ("openvino-float32",)
