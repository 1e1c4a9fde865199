"""What one network costs, measured in a process that does nothing else.

Run by ``python -m``, with variant, size, device and clicks as arguments, it prints one
line of JSON.
"""

from __future__ import annotations

import json
import sys
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from napari_simpleclick.evaluation.peak_memory import peak_memory
from napari_simpleclick.inference.loading import predictor_for
from napari_simpleclick.modeling.config import VARIANTS
from napari_simpleclick.modeling.devices import choose_device
from napari_simpleclick.modeling.flops import count_flops
from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.types import Click

if TYPE_CHECKING:
    from napari_simpleclick.inference.predictor import Predictor
    from napari_simpleclick.modeling.devices import Device
    from napari_simpleclick.types import Prediction

_IMAGE_SIDE: Final = 512
_SEED: Final = 0


def measure_row(
    variant: str, size: int, device: Device = "auto", clicks: int = 5
) -> dict[str, Any]:
    """Measure a network with random weights, in float32.

    Parameters
    ----------
    variant : str
        A key of `VARIANTS`.
    size : int
        Side of the input in pixels.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute.
    clicks : int
        Clicks on one image that are timed, at least 1; one before them is not.

    Returns
    -------
    dict
        "parameters" (without the position embedding, which has one for each patch),
        "flops", "memory_bytes" and "seconds_per_click". Memory is what the process
        needs at most for weights and clicks, beyond Python and the libraries; on CUDA
        what is allocated there; None where the system does not tell. Times are
        medians, from image and clicks to mask.
    """
    place = choose_device(device)
    before = peak_memory(place)
    torch.manual_seed(_SEED)
    config = VARIANTS[variant]
    network = SimpleClick(config).to(place).eval()
    model = TorchEager(network, device=place)
    predictor = predictor_for(model, config, input_size=size)
    seconds = _time_clicks(predictor, clicks)
    after = peak_memory(place)
    position = network.backbone.pos_embed.numel()
    return {
        "variant": variant,
        "size": size,
        "device": place,
        "parameters": sum(p.numel() for p in network.parameters()) - position,
        "flops": count_flops(network, size),
        "memory_bytes": None if before is None or after is None else after - before,
        "seconds_per_click": round(median(seconds), 5),
    }


def _time_clicks(predictor: Predictor, n: int) -> list[float]:
    """Time clicks at random places, each on the answer to those before."""
    rng = np.random.default_rng(_SEED)
    image = rng.integers(0, 256, (_IMAGE_SIDE, _IMAGE_SIDE), dtype=np.uint8)
    places = rng.integers(0, _IMAGE_SIDE, (n + 1, 2)).tolist()
    clicks = [Click(row, col) for row, col in places]
    seconds: list[float] = []
    previous: Prediction | None = None
    for count in range(1, n + 2):
        start = perf_counter()
        previous = predictor.predict(image, clicks[:count], previous)
        seconds.append(perf_counter() - start)
    return seconds[1:]


if __name__ == "__main__":
    _variant, _size, _device, _clicks = sys.argv[1:]
    _row = measure_row(_variant, int(_size), _device, int(_clicks))  # type: ignore[arg-type]
    sys.stdout.write(json.dumps(_row) + "\n")
