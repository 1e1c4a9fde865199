"""TorchEager: torch, operation by operation, in any precision."""

from __future__ import annotations

import copy
import platform
from typing import TYPE_CHECKING, Final

import torch

from napari_simpleclick.modeling.enlarge import enlarge

if TYPE_CHECKING:
    from torch import Tensor

    from napari_simpleclick.modeling.simpleclick import SimpleClick

DTYPES: Final = {
    "torch-float32": torch.float32,
    "torch-bfloat16": torch.bfloat16,
    "torch-float16": torch.float16,
}
"""Precision by name of the runtime."""


class TorchEager:
    """A copy of a network in a precision, on a device.

    Positions of clicks stay in float32, and logits are enlarged in float32. Memory is
    laid out as torch does by itself: channels last measured no faster on a processor.

    Parameters
    ----------
    network : SimpleClick
        Stays as it is.
    dtype : torch.dtype
        Of weights and activations.
    device : torch.device
        Where to compute.
    """

    def __init__(
        self, network: SimpleClick, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._dtype = dtype
        self._network = copy.deepcopy(network).to(device, dtype)

    def __call__(self, image: Tensor, prev_mask: Tensor, points: Tensor) -> Tensor:
        """Return logits (B, 1, H, W), float32."""
        logits = self._network.low_res_logits(
            image.to(self._dtype), prev_mask.to(self._dtype), points
        )
        return enlarge(logits.float(), (image.shape[2], image.shape[3]))


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device computes in bfloat16 faster than in float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):
        found = torch.cpu.get_capabilities()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    return False


def device_name(device: torch.device) -> str:
    """Return the name of a device, by which one computer is told from another."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    instructions = torch.backends.cpu.get_cpu_capability()
    return f"{device.type} {platform.machine()} {instructions}"
