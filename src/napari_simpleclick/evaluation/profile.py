"""profile: what the variants cost here, beside what was published."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from napari_simpleclick.evaluation.peak_memory import measure_apart
from napari_simpleclick.evaluation.published import SOURCE, published_costs
from napari_simpleclick.evaluation.report import machine, versions
from napari_simpleclick.modeling.config import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from napari_simpleclick.modeling.devices import Device

NOTE: Final = (
    "Published figures were measured by the authors, on one of their GPUs. They count "
    "operations without the products of attention, and transposed convolutions four "
    "times; a multiplication with its addition is two operations, as here."
)
_COLUMNS: Final = ("parameters (M)", "GFLOPs", "memory (GB)", "ms / click")


def profile(
    variants: Sequence[str],
    sizes: Sequence[int],
    *,
    device: Device = "auto",
    clicks: int = 5,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure variants, each at each size, one after the other in a fresh process.

    Parameters
    ----------
    variants : sequence of str
        Keys of `VARIANTS`.
    sizes : sequence of int
        Sides of the input in pixels, multiples of every variant's patch size.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute.
    clicks : int
        Clicks that are timed, at least 1.
    progress : callable, optional
        Told what is measured next.

    Returns
    -------
    dict
        Plain JSON: "rows" as `measure_row` gives them, each with its "published"
        figures or None; the whole "published" table; "versions" and "machine".

    Raises
    ------
    ChildProcessError
        If a measurement fails, such as for want of memory.
    ValueError
        If a variant is unknown, or a number does not fit.
    """
    _check(variants, sizes, clicks)
    published = [asdict(cost) for cost in published_costs()]
    costs = {(cost["variant"], cost["size"]): cost for cost in published}
    rows = []
    for variant in variants:
        for size in sizes:
            if progress is not None:
                progress(f"{variant} at {size} ...")
            row = _measure(variant, size, device, clicks)
            rows.append(row | {"published": costs.get((variant, size))})
    return {
        "rows": rows,
        "published": {
            "source": SOURCE,
            "note": NOTE,
            "measured_here": False,
            "rows": published,
        },
        "versions": versions(),
        "machine": machine(),
    }


def profile_table(document: Mapping[str, Any]) -> str:
    """Lay out what `profile` gave as text.

    Every measured row has the published figures of the same network and size, where
    there are any, on a line below it. Other methods' figures follow.
    """
    lines: list[tuple[str, ...]] = [("", "input", *_COLUMNS)]
    for row in document["rows"]:
        lines.append((row["variant"], str(row["size"]), *_measured(row)))
        if row["published"] is not None:
            lines.append(("  published", "", *_published(row["published"])))
    lines.append(("other methods, published",))
    for cost in document["published"]["rows"]:
        if cost["variant"] is None:
            lines.append(
                (f"  {cost['backbone']}", str(cost["size"]), *_published(cost))
            )
    source = document["published"]["source"]
    notes = f"Published, not measured here: {source}. {document['published']['note']}"
    return f"{_aligned(lines)}\n\n{notes}"


def _measured(row: Mapping[str, Any]) -> tuple[str, ...]:
    memory = row["memory_bytes"]
    return _cells(row, "" if memory is None else f"{memory / 1e9:.2f}")


def _published(cost: Mapping[str, Any]) -> tuple[str, ...]:
    return _cells(cost, f"{cost['memory'] / 1e9:.2f}")


def _cells(row: Mapping[str, Any], memory: str) -> tuple[str, ...]:
    return (
        f"{row['parameters'] / 1e6:.2f}",
        f"{row['flops'] / 1e9:.2f}",
        memory,
        f"{1000 * row['seconds_per_click']:.0f}",
    )


def _aligned(lines: Iterable[tuple[str, ...]]) -> str:
    widths = (14, 6, *(len(column) for column in _COLUMNS))
    return "\n".join(
        "  ".join(
            (cell.ljust if i == 0 else cell.rjust)(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=False))
        ).rstrip()
        for line in lines
    )


def _measure(variant: str, size: int, device: Device, clicks: int) -> dict[str, Any]:
    module = "napari_simpleclick.evaluation.profile_row"
    arguments = (variant, str(size), device, str(clicks))
    return measure_apart(module, arguments, f"{variant} at {size}")


def _check(variants: Sequence[str], sizes: Sequence[int], clicks: int) -> None:
    if clicks < 1:
        raise ValueError(f"clicks: {clicks}, expected at least 1")
    for variant in variants:
        if variant not in VARIANTS:
            expected = ", ".join(VARIANTS)
            raise ValueError(f"variants: {variant!r}, expected some of {expected}")
        patch = VARIANTS[variant].patch_size
        for size in sizes:
            if size < 1 or size % patch:
                raise ValueError(
                    f"sizes: {size}, expected a multiple of {patch} for {variant}"
                )
