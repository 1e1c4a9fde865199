"""candidates: the rule by which "auto" tries one runtime after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_simpleclick.modeling.runtimes.openvino_compiled import import_openvino
from napari_simpleclick.modeling.runtimes.runtime import RuntimeRefusedError
from napari_simpleclick.modeling.torch_import import import_torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_simpleclick.modeling.runtimes.runtime import RuntimeName


def candidates(device: str) -> Iterator[RuntimeName]:
    """Tell runtimes, the fastest first, as measured on processors and GPUs of the kind.

    On a CPU: OpenVINO, in bfloat16 or float16 if the processor computes in it, then in
    float32; then torch, in bfloat16 if the processor does; then
    torch in float32. On CUDA: torch in bfloat16 from compute capability 8.0 on, else in
    float16, first as a CUDA graph; then in float32. Elsewhere, torch in float32.

    Parameters
    ----------
    device : str
        Where to compute: "cpu", "cuda" or "mps".

    Yields
    ------
    str
        At least one; torch in float32 is the last. Torch is imported once it is asked
        for more than OpenVINO has.
    """
    if device == "cpu":
        yield from _of_openvino()
    if device != "mps":
        yield from _of_torch(device)
    yield "torch-float32"


def _of_torch(device: str) -> Iterator[RuntimeName]:
    """Tell in what torch computes faster than in float32."""
    import_torch()
    import torch

    from napari_simpleclick.modeling.runtimes.torch_eager import has_bfloat16

    on_cuda = torch.device(device).type == "cuda"
    if on_cuda:
        yield "torch-graph"
    if has_bfloat16(torch.device(device)):
        yield "torch-bfloat16"
    elif on_cuda:
        yield "torch-float16"


def _of_openvino() -> tuple[RuntimeName, ...]:
    """Those of OpenVINO that this processor is made for."""
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
