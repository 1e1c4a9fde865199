"""TorchEager: torch, operation by operation, in any precision."""

from __future__ import annotations

import copy
import platform
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from napari_simpleclick.modeling.enlarge import enlarge

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_simpleclick.modeling.simpleclick import SimpleClick
    from napari_simpleclick.types import Floats

DTYPES: Final = {
    "torch-float32": torch.float32,
    "torch-bfloat16": torch.bfloat16,
    "torch-float16": torch.float16,
}
"""Precision by name of the runtime."""


class TorchEager:
    """A network in a precision, on a device; a copy where it is in another.

    Positions of clicks stay in float32, and logits are enlarged in float32. Memory is
    laid out as torch does by itself: channels last measured no faster on a processor.

    Parameters
    ----------
    network : SimpleClick
        In evaluation mode; stays as it is.
    dtype : torch.dtype
        Of weights and activations.
    device : str or torch.device
        Where to compute.
    """

    def __init__(
        self,
        network: SimpleClick,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        self._dtype = dtype
        self._device = torch.empty(0, device=device).device  # with its index
        if not self._is_at_home(network):
            network = copy.deepcopy(network).to(self._device, dtype)
        self._network = network

    def __call__(self, image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        """Return logits (B, 1, H, W), float32."""
        shown, before, places = to_device(self._device, image, prev_mask, points)
        with torch.inference_mode():
            logits = self._network.low_res_logits(
                shown.to(self._dtype), before.to(self._dtype), places
            )
            enlarged = enlarge(logits.float(), (image.shape[2], image.shape[3]))
            return from_device(enlarged)

    def _is_at_home(self, network: SimpleClick) -> bool:
        weight = next(network.parameters())
        return (weight.dtype, weight.device) == (self._dtype, self._device)


def to_device(device: torch.device, *arrays: NDArray[np.float32]) -> list[Tensor]:
    """Return arrays as tensors on a device."""
    ready = (np.require(array, requirements=("C", "W")) for array in arrays)
    return [torch.from_numpy(array).to(device) for array in ready]


def from_device(tensor: Tensor) -> NDArray[np.float32]:
    """Return a tensor as an array, once its device has computed it."""
    array: NDArray[np.float32] = tensor.cpu().numpy()
    return array


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device computes in bfloat16 faster than in float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):
        found = torch.cpu.get_capabilities()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    return False


def half_format(device: torch.device) -> torch.dtype:
    """Return the half number format that a GPU computes in: bfloat16 where it can."""
    return torch.bfloat16 if has_bfloat16(device) else torch.float16


def device_name(device: torch.device) -> str:
    """Return the name of a device, by which one computer is told from another."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    instructions = torch.backends.cpu.get_cpu_capability()
    return f"{device.type} {platform.machine()} {instructions}"
