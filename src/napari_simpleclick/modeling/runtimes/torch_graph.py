"""TorchGraph: torch on a CUDA device, its work recorded once and then replayed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

import torch

from napari_simpleclick.modeling.click_encoding import encode_clicks
from napari_simpleclick.modeling.enlarge import enlarge
from napari_simpleclick.modeling.runtimes.torch_eager import (
    from_device,
    half_format,
    to_device,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from napari_simpleclick.modeling.simpleclick import SimpleClick
    from napari_simpleclick.types import Floats

_WARM_UPS: Final = 3
"""Calls before the recording, in which the libraries choose how they compute."""


class TorchGraph:
    """A network in half the number format, as one CUDA graph for each shape of crops.

    Launched one by one, the operations of a small network keep a GPU waiting. Only
    single crops are recorded; batches are large enough as they are.

    Parameters
    ----------
    network : SimpleClick
        In evaluation mode; stays as it is.
    device : str or torch.device
        A CUDA device.
    """

    def __init__(self, network: SimpleClick, device: str | torch.device) -> None:
        self._device = torch.empty(0, device=device).device  # with its index
        self._dtype = half_format(self._device)
        self._network = copy.deepcopy(network).to(self._device, self._dtype)
        self._graphs: dict[tuple[int, int], _Graph] = {}
        self._lock = Lock()  # a graph has one place for its input and its output

    def __call__(self, image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        """Return logits (B, 1, H, W), float32."""
        size = (image.shape[2], image.shape[3])
        shown, before, places = to_device(self._device, image, prev_mask, points)
        with self._lock, torch.inference_mode():
            disks = encode_clicks(places, size, self._network.config.click_radius)
            maps = torch.cat((before, disks), dim=1)
            if len(image) > 1:
                return from_device(self._logits(shown, maps))
            if size not in self._graphs:
                self._graphs[size] = _Graph.of(self._logits, (shown, maps))
            return from_device(self._graphs[size].replay((shown, maps)))

    def _logits(self, image: Tensor, maps: Tensor) -> Tensor:
        logits = self._network.logits_from_maps(
            image.to(self._dtype), maps.to(self._dtype)
        )
        return enlarge(logits.float(), (image.shape[2], image.shape[3]))


@dataclass(frozen=True, slots=True)
class _Graph:
    """Recorded work, and the tensors that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]
    output: Tensor

    @classmethod
    def of(cls, function: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> Self:
        """Record what a function does to inputs of these shapes."""
        kept = tuple(value.clone() for value in inputs)
        apart = torch.cuda.Stream(inputs[0].device)
        apart.wait_stream(torch.cuda.current_stream(inputs[0].device))
        with torch.cuda.stream(apart):
            for _ in range(_WARM_UPS):
                function(*kept)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(
                graph, stream=apart, capture_error_mode="thread_local"
            ):
                output = function(*kept)
        torch.cuda.current_stream(inputs[0].device).wait_stream(apart)
        return cls(graph, kept, output)

    def replay(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Do the work for other inputs; the next call overwrites the output."""
        for place, value in zip(self.inputs, inputs, strict=True):
            place.copy_(value)
        self.graph.replay()
        return self.output
