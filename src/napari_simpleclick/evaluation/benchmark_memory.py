"""The memory that a runtime takes, measured in a process that does nothing else.

Run by ``python -m``, with checkpoint, folder of the runtime cache, runtime, device and
size as arguments, it prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.evaluation.peak_memory import peak_memory
from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
from napari_simpleclick.modeling.runtimes.opening import open_runtime
from napari_simpleclick.modeling.runtimes.openvino_compiled import import_openvino
from napari_simpleclick.modeling.runtimes.runtime_cache import RuntimeCache

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.modeling.runtimes.runtime import RuntimeName

PASSES: Final = 3
"""The second still asks for more than the first."""

_CLICKS: Final = 6
_SEED: Final = 0


def example_inputs(size: int) -> tuple[NDArray[np.float32], ...]:
    """Make up an image, a previous mask and six clicks, for one pass.

    Parameters
    ----------
    size : int
        Side of the input in pixels.

    Returns
    -------
    image, prev_mask, points : ndarray
        As a network takes them, a batch of one, float32.
    """
    rng = np.random.default_rng(_SEED)
    image = rng.random((1, 3, size, size), dtype=np.float32)
    prev_mask = rng.random((1, 1, size, size), dtype=np.float32)
    points = np.float32(size) * rng.random((1, _CLICKS, 3), dtype=np.float32)
    return image, prev_mask, points


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
        As for `open_runtime`.
    size : int
        Side of the input in pixels.

    Returns
    -------
    int or None
        Bytes, at most at a time, beyond Python and the libraries, for all from reading
        the file on; on CUDA those allocated there. None where the system does not tell.
    """
    _import_libraries(runtime)
    before = peak_memory(device)
    opened = open_runtime(
        NetworkSource.from_file(checkpoint),
        runtime,
        device=device,
        size=size,
        cache=RuntimeCache(cache),
    )
    for _ in range(PASSES):
        opened(*example_inputs(size))
    after = peak_memory(device)
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
