"""benchmark: how fast the runtimes compute a click, side by side in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_simpleclick.evaluation.benchmark_bench import REFERENCE, Bench
from napari_simpleclick.evaluation.report import machine, versions
from napari_simpleclick.modeling.config import VARIANTS
from napari_simpleclick.modeling.devices import choose_device
from napari_simpleclick.modeling.runtimes.runtime import RUNTIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from napari_simpleclick.modeling.devices import Device
    from napari_simpleclick.modeling.runtimes.runtime import RuntimeChoice


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
        1 is faster), "flops", "gflops" (the same in 1e9), "matmul_share", the part of
        the speed of a large matrix product in its number format that it reaches, and
        "peak_memory_mib", see `memory_of_passes`.

    Raises
    ------
    ChildProcessError
        If the memory cannot be measured, such as for want of it.
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
            with Bench.set_up(variant, size, place) as bench:
                rows += bench.measure(names, rounds, tell)
    return {"rows": rows, "machine": machine(), "versions": versions()}


def benchmark_table(document: Mapping[str, Any]) -> str:
    """Lay out what `benchmark` returned as text, one line a row."""
    lines = [
        f"{'variant':8}{'size':>5}  {'runtime':26}{'median':>10}{'p95':>11}"
        f"{'ratio':>7}{'GFLOPs':>8}{'of matmul':>11}{'memory':>11}"
    ]
    for row in document["rows"]:
        name = row["runtime"]
        if name == "auto":
            name = f"auto ({row['computed_by']})"
        lines.append(
            f"{row['variant']:8}{row['size']:>5}  {name:26}"
            f"{row['median_ms']:>7.1f} ms{row['p95_ms']:>8.1f} ms"
            f"{row['ratio_to_torch_float32']:>7.2f}{row['gflops']:>8.1f}"
            f"{row['matmul_share']:>11.0%}{_memory(row['peak_memory_mib']):>11}"
        )
    return "\n".join(lines)


def _memory(mib: float | None) -> str:
    return "unknown" if mib is None else f"{mib:.0f} MiB"


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
