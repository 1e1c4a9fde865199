"""TorchCompiled: torch.compile, with CUDA graphs on a GPU."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from napari_simpleclick.modeling.click_encoding import encode_clicks
from napari_simpleclick.modeling.enlarge import enlarge
from napari_simpleclick.modeling.runtimes.torch_eager import has_bfloat16

if TYPE_CHECKING:
    from torch import Tensor

    from napari_simpleclick.modeling.simpleclick import SimpleClick


class TorchCompiled:
    """A network that is compiled at its first call, once for every size of a batch.

    Clicks are drawn outside of what is compiled, so that their number does not matter.
    bfloat16 on a CUDA device that has it, float32 elsewhere.

    Parameters
    ----------
    network : SimpleClick
        Stays as it is.
    device : torch.device
        Where to compute.
    """

    def __init__(self, network: SimpleClick, device: torch.device) -> None:
        on_cuda = device.type == "cuda"
        low = on_cuda and has_bfloat16(device)
        self._dtype = torch.bfloat16 if low else torch.float32
        self._radius = network.config.click_radius
        self._compiled = torch.compile(
            copy.deepcopy(network).to(device, self._dtype).logits_from_maps,
            dynamic=False,
            mode="reduce-overhead" if on_cuda else None,
        )

    def __call__(self, image: Tensor, prev_mask: Tensor, points: Tensor) -> Tensor:
        """Return logits (B, 1, H, W), float32."""
        size = (image.shape[2], image.shape[3])
        disks = encode_clicks(points, size, self._radius)
        maps = torch.cat((prev_mask, disks), dim=1)
        logits: Tensor = self._compiled(image.to(self._dtype), maps.to(self._dtype))
        # A new tensor: the next replay of a CUDA graph writes over its own output.
        return enlarge(logits.float(), size)
