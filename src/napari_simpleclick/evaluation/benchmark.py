"""benchmark: how fast the runtimes compute a click, side by side in one run."""

from __future__ import annotations

from functools import partial
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from napari_simpleclick.evaluation.report import machine, versions
from napari_simpleclick.inference.loading import choose_device
from napari_simpleclick.modeling.config import VARIANTS
from napari_simpleclick.modeling.flops import count_flops
from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
from napari_simpleclick.modeling.runtimes.opening import open_runtime
from napari_simpleclick.modeling.runtimes.runtime import (
    RUNTIMES,
    RuntimeRefusedError,
)
from napari_simpleclick.modeling.simpleclick import SimpleClick

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from napari_simpleclick.inference.loading import Device
    from napari_simpleclick.modeling.runtimes.runtime import Runtime, RuntimeChoice

REFERENCE: Final = "torch-float32"
"""Runtime that the others are compared with; always measured."""

MATMUL_SIDE: Final = 1024
"""Rows and columns of the matrices whose product shows what a processor can do."""

_CLICKS: Final = 6
_SEED: Final = 0


def benchmark(
    variants: Sequence[str],
    sizes: Sequence[int],
    runtimes: Sequence[RuntimeChoice],
    *,
    device: Device = "auto",
    rounds: int = 20,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Time one pass of the networks; all runtimes of a network take turns.

    The networks have random weights: the values make no difference to the time.

    Parameters
    ----------
    variants : sequence of str
        Keys of `VARIANTS`.
    sizes : sequence of int
        Sides of the input in pixels.
    runtimes : sequence of str
        Entries of `RUNTIMES`, or "auto". `REFERENCE` is measured besides.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute.
    rounds : int
        Passes that are timed of each, at least 1; two before them are not.
    progress : callable, optional
        Told what is measured next, and of runtimes that are refused.

    Returns
    -------
    dict
        Plain JSON: "rows", "machine" and "versions". A row has "variant", "size",
        "runtime" (as asked for), "computed_by" (what "auto" took), "median_ms",
        "p95_ms", "ratio_to_torch_float32" (its median over that of `REFERENCE`: below
        1 is faster), "flops", and "matmul_share", the part of the speed of a large
        matrix product in its number format that it reaches.

    Raises
    ------
    ValueError
        If a variant, size, runtime or `rounds` is none.
    """
    _check(variants, runtimes, rounds)
    place = choose_device(device)
    others = [name for name in runtimes if name != REFERENCE]
    names: tuple[RuntimeChoice, ...] = (REFERENCE, *others)
    tell = progress or (lambda _: None)
    rows = []
    for variant in variants:
        for size in sizes:
            tell(f"{variant} at {size}")
            source = NetworkSource(partial(_network, variant))
            opened = _open(source, names, place, size, tell)
            seconds = _time_in_turns(opened, size, place, rounds)
            flops = count_flops(source.network, size)
            rows += _rows(variant, size, opened, seconds, flops, place)
    return {"rows": rows, "machine": machine(), "versions": versions()}


def benchmark_table(document: Mapping[str, Any]) -> str:
    """Lay out what `benchmark` returned as text, one line a row."""
    lines = [
        f"{'variant':8}{'size':>5}  {'runtime':26}{'median':>10}{'p95':>11}"
        f"{'ratio':>7}{'GFLOPs':>8}{'of matmul':>11}"
    ]
    for row in document["rows"]:
        name = row["runtime"]
        if name == "auto":
            name = f"auto ({row['computed_by']})"
        lines.append(
            f"{row['variant']:8}{row['size']:>5}  {name:26}"
            f"{row['median_ms']:>7.1f} ms{row['p95_ms']:>8.1f} ms"
            f"{row['ratio_to_torch_float32']:>7.2f}{row['flops'] / 1e9:>8.1f}"
            f"{row['matmul_share']:>11.0%}"
        )
    return "\n".join(lines)


def _check(
    variants: Sequence[str], runtimes: Sequence[RuntimeChoice], rounds: int
) -> None:
    for variant in variants:
        if variant not in VARIANTS:
            raise ValueError(f"variants: {variant!r}, expected {', '.join(VARIANTS)}")
    for name in runtimes:
        if name != "auto" and name not in RUNTIMES:
            raise ValueError(
                f"runtimes: {name!r}, expected auto, {', '.join(RUNTIMES)}"
            )
    if rounds < 1:
        raise ValueError(f"rounds: {rounds}, expected at least 1")


def _network(variant: str) -> SimpleClick:
    """Make a network whose mask, everything, is the same in every number format."""
    torch.manual_seed(_SEED)
    network = SimpleClick(VARIANTS[variant]).eval()
    state = network.state_dict()
    state["head.conv_seg.bias"].fill_(100)
    return network


def _open(
    source: NetworkSource,
    names: Sequence[RuntimeChoice],
    place: torch.device,
    size: int,
    tell: Callable[[str], None],
) -> dict[RuntimeChoice, Runtime]:
    opened: dict[RuntimeChoice, Runtime] = {}
    for name in names:
        try:
            opened[name] = open_runtime(source, name, device=place, size=size)
        except RuntimeRefusedError as error:
            tell(str(error))
    return opened


def _time_in_turns(
    opened: Mapping[RuntimeChoice, Runtime],
    size: int,
    place: torch.device,
    rounds: int,
) -> dict[RuntimeChoice, list[float]]:
    """Time passes in seconds; two passes of each are not counted."""
    rng = torch.Generator().manual_seed(_SEED)
    image = torch.rand(1, 3, size, size, generator=rng).to(place)
    prev_mask = torch.rand(1, 1, size, size, generator=rng).to(place)
    points = size * torch.rand(1, _CLICKS, 3, generator=rng).to(place)
    seconds: dict[RuntimeChoice, list[float]] = {name: [] for name in opened}
    with torch.inference_mode():
        for _ in range(rounds + 2):
            for name, runtime in opened.items():
                start = perf_counter()
                runtime(image, prev_mask, points).sum().item()  # waits for a GPU
                seconds[name].append(perf_counter() - start)
    return {name: times[2:] for name, times in seconds.items()}


def _rows(
    variant: str,
    size: int,
    opened: Mapping[RuntimeChoice, Runtime],
    seconds: Mapping[RuntimeChoice, Sequence[float]],
    flops: int,
    place: torch.device,
) -> list[dict[str, Any]]:
    reference = median(seconds[REFERENCE])
    return [
        {
            "variant": variant,
            "size": size,
            "runtime": name,
            "computed_by": runtime.name,
            "median_ms": round(1e3 * median(seconds[name]), 3),
            "p95_ms": round(1e3 * float(np.quantile(seconds[name], 0.95)), 3),
            "ratio_to_torch_float32": round(median(seconds[name]) / reference, 4),
            "flops": flops,
            "matmul_share": round(
                flops / median(seconds[name]) / _matmul_speed(_dtype(runtime), place), 4
            ),
        }
        for name, runtime in opened.items()
    ]


def _dtype(runtime: Runtime) -> torch.dtype:
    """Tell the number format that most of the work is done in."""
    for dtype in (torch.bfloat16, torch.float16):
        if runtime.name.endswith(str(dtype).removeprefix("torch.")):
            return dtype
    return torch.float32


def _matmul_speed(dtype: torch.dtype, place: torch.device) -> float:
    """Measure operations per second of a large matrix product, the best of ten."""
    factor = torch.ones(MATMUL_SIDE, MATMUL_SIDE, dtype=dtype, device=place)
    best = float("inf")
    for _ in range(10):
        start = perf_counter()
        (factor @ factor)[0, 0].item()
        best = min(best, perf_counter() - start)
    return 2 * MATMUL_SIDE**3 / best
