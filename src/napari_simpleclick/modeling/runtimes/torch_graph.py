"""TorchGraph: torch on a CUDA device, its work recorded once and then replayed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
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
_LARGEST: Final = 2
"""Crops of a batch that is recorded: one, or one and its mirror image."""
_RECORDING: Final = Lock()
"""CUDA records one graph at a time in a process."""


class TorchGraph:
    """A network in half the number format, as one CUDA graph for each shape of crops.

    Launched one by one, the operations of a small network keep a GPU waiting. Only
    single crops and mirrored pairs are recorded; larger batches keep it busy as they
    are. Each shape keeps memory of its own. Several threads may call it.

    Parameters
    ----------
    network : SimpleClick
        In evaluation mode; stays as it is.
    device : str or torch.device
        A CUDA device.
    size : int
        Side of the crops in pixels that are recorded at once; others are when they
        come.

    Raises
    ------
    RuntimeError
        If there is no such device, or it cannot record.
    """

    def __init__(
        self, network: SimpleClick, device: str | torch.device, size: int
    ) -> None:
        self._device = torch.empty(0, device=device).device  # with its index
        self._dtype = half_format(self._device)
        self._network = copy.deepcopy(network).to(self._device, self._dtype)
        self._size = size
        self._graphs: dict[tuple[int, ...], _Graph] = {}
        self._lock = Lock()  # a graph has one place for its input and its output
        crop = np.zeros((1, 3, size, size), np.float32)
        self(crop, crop[:, :1], np.full((1, 2, 3), -1, np.float32))

    def __call__(self, image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        """Return logits (B, 1, H, W), float32.

        Raises
        ------
        ValueError
            If a shape does not fit.
        """
        size = (image.shape[2], image.shape[3])
        shown, before, places = to_device(self._device, image, prev_mask, points)
        self._network.check(shown, before, places)
        with self._lock, torch.inference_mode():
            disks = encode_clicks(places, size, self._network.config.click_radius)
            maps = torch.cat((before, disks), dim=1)
            if len(image) > _LARGEST:
                return from_device(self._logits(shown, maps))
            shape = tuple(image.shape)
            if shape not in self._graphs:
                with _RECORDING:
                    self._graphs[shape] = _Graph.of(self._logits, (shown, maps))
            return from_device(self._graphs[shape].replay((shown, maps)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the network, for other processes; each records for itself."""
        return TorchGraph, (self._network, self._device, self._size)

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
