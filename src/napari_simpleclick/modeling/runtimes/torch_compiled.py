"""TorchCompiled: torch.compile, with CUDA graphs on a GPU."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from napari_simpleclick.modeling.click_encoding import encode_clicks
from napari_simpleclick.modeling.enlarge import enlarge
from napari_simpleclick.modeling.runtimes.torch_eager import (
    from_device,
    has_bfloat16,
    to_device,
)

if TYPE_CHECKING:
    from napari_simpleclick.modeling.simpleclick import SimpleClick
    from napari_simpleclick.types import Floats


class TorchCompiled:
    """A network that is compiled at its first call, once for every size of a batch.

    Clicks are drawn outside of what is compiled, so that their number does not matter.
    bfloat16 on a CUDA device that has it, float32 elsewhere.

    Parameters
    ----------
    network : SimpleClick
        Stays as it is.
    device : str
        Where to compute.
    """

    def __init__(self, network: SimpleClick, device: str) -> None:
        self._device = torch.device(device)
        on_cuda = self._device.type == "cuda"
        low = on_cuda and has_bfloat16(self._device)
        self._dtype = torch.bfloat16 if low else torch.float32
        self._network = copy.deepcopy(network).to(self._device, self._dtype)
        self._compiled = torch.compile(
            self._network.logits_from_maps,
            dynamic=False,
            mode="reduce-overhead" if on_cuda else None,
        )

    def __call__(self, image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        """Return logits (B, 1, H, W), float32."""
        size = (image.shape[2], image.shape[3])
        shown, before, places = to_device(self._device, image, prev_mask, points)
        self._network.check(shown, before, places)
        with torch.inference_mode():
            disks = encode_clicks(places, size, self._network.config.click_radius)
            maps = torch.cat((before, disks), dim=1)
            logits = self._compiled(shown.to(self._dtype), maps.to(self._dtype))
            return from_device(enlarge(logits.float(), size))
