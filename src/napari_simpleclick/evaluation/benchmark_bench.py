"""Bench: one network at one size, and all that is measured of its runtimes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import torch

from napari_simpleclick.evaluation.benchmark_memory import example_inputs
from napari_simpleclick.evaluation.peak_memory import measure_apart
from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.modeling.config import VARIANTS
from napari_simpleclick.modeling.flops import count_flops
from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
from napari_simpleclick.modeling.runtimes.opening import open_runtime
from napari_simpleclick.modeling.runtimes.runtime import RuntimeRefusedError
from napari_simpleclick.modeling.runtimes.runtime_cache import RuntimeCache
from napari_simpleclick.modeling.runtimes.torch_eager import half_format, has_bfloat16
from napari_simpleclick.modeling.simpleclick import SimpleClick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from napari_simpleclick.modeling.runtimes.runtime import (
        Runtime,
        RuntimeChoice,
        RuntimeName,
    )

REFERENCE: Final = "torch-float32"
"""Runtime that the others are compared with; always measured."""

MATMUL_SIDE: Final = 1024
"""Rows and columns of the matrices whose product shows what a processor can do."""

_PAUSE: Final = 0.02
"""Seconds before a pass: until then, threads of the runtime before wait in a loop."""

_SEED: Final = 0
_MEMORY_MODULE: Final = "napari_simpleclick.evaluation.benchmark_memory"


@dataclass(frozen=True, slots=True)
class Bench:
    """A network of random weights in a folder that is gone afterwards.

    Parameters
    ----------
    variant : str
        A key of `VARIANTS`.
    size : int
        Side of the input in pixels.
    place : str
        Where to compute: "cpu", "cuda" or "mps".
    folder : Path
        Takes the checkpoint and what is compiled.
    """

    variant: str
    size: int
    place: str
    folder: Path

    @classmethod
    @contextmanager
    def set_up(cls, variant: str, size: int, place: str) -> Iterator[Self]:
        """Write the network to a temporary folder."""
        with TemporaryDirectory() as folder:
            bench = cls(variant, size, place, Path(folder))
            save_checkpoint(_network(variant), bench.checkpoint)
            yield bench

    @property
    def checkpoint(self) -> Path:
        """The file of the network."""
        return self.folder / "network.safetensors"

    def measure(
        self, names: Sequence[RuntimeChoice], rounds: int, tell: Callable[[str], None]
    ) -> list[dict[str, Any]]:
        """Measure runtimes; see `benchmark` for what a row has.

        Parameters
        ----------
        names : sequence of str
            `REFERENCE` is among them. Those that are refused get no row.
        rounds : int
            Passes that are timed.
        tell : callable
            Told of runtimes that are refused.
        """
        source = NetworkSource.from_file(self.checkpoint)
        opened = self._open(source, names, tell)
        seconds = self._time_in_turns(opened, rounds)
        flops = count_flops(source.network, self.size)
        memory = {
            name: self._memory_of(name)
            for name in {runtime.name for runtime in opened.values()}
        }
        reference = median(seconds[REFERENCE])
        return [
            {
                "variant": self.variant,
                "size": self.size,
                "runtime": name,
                "computed_by": runtime.name,
                "median_ms": round(1e3 * median(seconds[name]), 3),
                "p95_ms": round(1e3 * float(np.quantile(seconds[name], 0.95)), 3),
                "ratio_to_torch_float32": round(median(seconds[name]) / reference, 4),
                "flops": flops,
                "gflops": round(flops / 1e9, 3),
                "matmul_share": self._share(flops / median(seconds[name]), runtime),
                "peak_memory_mib": memory[runtime.name],
            }
            for name, runtime in opened.items()
        ]

    def _open(
        self,
        source: NetworkSource,
        names: Sequence[RuntimeChoice],
        tell: Callable[[str], None],
    ) -> dict[RuntimeChoice, Runtime]:
        opened: dict[RuntimeChoice, Runtime] = {}
        cache = RuntimeCache(self.folder)
        for name in names:
            try:
                opened[name] = open_runtime(
                    source, name, device=self.place, size=self.size, cache=cache
                )
            except RuntimeRefusedError as error:
                tell(str(error))
        return opened

    def _time_in_turns(
        self, opened: Mapping[RuntimeChoice, Runtime], rounds: int
    ) -> dict[RuntimeChoice, list[float]]:
        """Time passes in seconds; two passes of each are not counted."""
        inputs = example_inputs(self.size)
        seconds: dict[RuntimeChoice, list[float]] = {name: [] for name in opened}
        for _ in range(rounds + 2):
            for name, runtime in opened.items():
                sleep(_PAUSE)
                start = perf_counter()
                runtime(*inputs)
                seconds[name].append(perf_counter() - start)
        return {name: times[2:] for name, times in seconds.items()}

    def _memory_of(self, name: RuntimeName) -> float | None:
        """Measure the peak in MiB."""
        size, checkpoint = str(self.size), str(self.checkpoint)
        arguments = (checkpoint, str(self.folder), name, self.place, size)
        what = f"the memory of {self.variant} at {size} with {name}"
        found = measure_apart(_MEMORY_MODULE, arguments, what)["memory_bytes"]
        return None if found is None else round(found / 2**20, 1)

    def _share(self, speed: float, runtime: Runtime) -> float:
        return round(speed / _matmul_speed(_dtype(runtime), self.place), 4)


def _network(variant: str) -> SimpleClick:
    """Make a network whose mask, everything, is the same in every number format."""
    torch.manual_seed(_SEED)
    network = SimpleClick(VARIANTS[variant]).eval()
    state = network.state_dict()
    state["head.conv_seg.bias"].fill_(100)
    return network


def _dtype(runtime: Runtime) -> torch.dtype:
    """Tell the number format that most of the work is done in."""
    for dtype in (torch.bfloat16, torch.float16):
        if runtime.name.endswith(str(dtype).removeprefix("torch.")):
            return dtype
    place = torch.device(runtime.device)
    if runtime.name == "torch-graph":
        return half_format(place)
    if runtime.name == "torch-compile" and place.type == "cuda" and has_bfloat16(place):
        return torch.bfloat16
    return torch.float32


def _matmul_speed(dtype: torch.dtype, place: str) -> float:
    """Measure operations per second of a large matrix product, the best of ten.

    Or of as many as a second has time for: some processors only imitate a format.
    """
    factor = torch.ones(MATMUL_SIDE, MATMUL_SIDE, dtype=dtype, device=place)
    seconds: list[float] = []
    while len(seconds) < 10 and sum(seconds) < 1:
        start = perf_counter()
        (factor @ factor)[0, 0].item()
        seconds.append(perf_counter() - start)
    return 2 * MATMUL_SIDE**3 / min(seconds)
