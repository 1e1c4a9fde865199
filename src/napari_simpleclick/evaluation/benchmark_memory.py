"""The memory that a runtime takes, measured in a process that does nothing else.

Run by ``python -m``, with checkpoint, folder of the runtime cache, runtime, device and
size as arguments, it prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from napari_simpleclick.evaluation.peak_memory import peak_memory
from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
from napari_simpleclick.modeling.runtimes.opening import open_runtime
from napari_simpleclick.modeling.runtimes.openvino_compiled import import_openvino
from napari_simpleclick.modeling.runtimes.runtime_cache import RuntimeCache

if TYPE_CHECKING:
    from torch import Tensor

    from napari_simpleclick.modeling.runtimes.runtime import RuntimeName

PASSES: Final = 3
"""The second still asks for more than the first."""

_CLICKS: Final = 6
_SEED: Final = 0


def example_inputs(size: int, place: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Make up an image, a previous mask and six clicks, for one pass.

    Parameters
    ----------
    size : int
        Side of the input in pixels.
    place : torch.device
        Where the tensors are.

    Returns
    -------
    image, prev_mask, points : Tensor
        As a network takes them, a batch of one, float32.
    """
    rng = torch.Generator().manual_seed(_SEED)
    image = torch.rand(1, 3, size, size, generator=rng)
    prev_mask = torch.rand(1, 1, size, size, generator=rng)
    points = size * torch.rand(1, _CLICKS, 3, generator=rng)
    return image.to(place), prev_mask.to(place), points.to(place)


def memory_of_passes(
    checkpoint: Path, cache: Path, runtime: RuntimeName, device: str, size: int
) -> int | None:
    """Measure the memory of a few passes, with the network.

    Parameters
    ----------
    checkpoint : Path
        The network.
    cache : Path
        Folder of the runtime cache. What is compiled should be in there, or compiling
        counts, too.
    runtime : str
        Any of `RUNTIMES`.
    device : str
        Of torch.
    size : int
        Side of the input in pixels.

    Returns
    -------
    int or None
        Bytes, at most at a time, beyond Python and the libraries, for all from reading
        the file on; on CUDA those allocated there. None where the system does not tell.
    """
    place = torch.device(device)
    _import_libraries(runtime)
    before = peak_memory(place)
    opened = open_runtime(
        NetworkSource.from_file(checkpoint),
        runtime,
        device=place,
        size=size,
        cache=RuntimeCache(cache),
    )
    with torch.inference_mode():
        for _ in range(PASSES):
            opened(*example_inputs(size, place))
    after = peak_memory(place)
    return None if before is None or after is None else after - before


def _import_libraries(runtime: RuntimeName) -> None:
    """Import what the runtime needs, so that it does not count."""
    if runtime.startswith("openvino"):
        import_openvino().Core().get_property("CPU", "FULL_DEVICE_NAME")
    else:
        from napari_simpleclick.modeling import checkpoint  # noqa: F401


if __name__ == "__main__":
    _checkpoint, _cache, _runtime, _device, _size = sys.argv[1:]
    _bytes = memory_of_passes(
        Path(_checkpoint),
        Path(_cache),
        _runtime,  # type: ignore[arg-type]
        _device,
        int(_size),
    )
    sys.stdout.write(json.dumps({"memory_bytes": _bytes}) + "\n")
