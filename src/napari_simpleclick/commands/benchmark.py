"""benchmark: the runtimes side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_simpleclick.commands.console import say
from napari_simpleclick.commands.options import add_device_option, split, whole_numbers

if TYPE_CHECKING:
    import argparse

    from napari_simpleclick.commands.options import Commands


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "benchmark",
        help="how fast the runtimes are on this computer",
        description="Runtimes take turns in one run; ratios are to torch-float32.",
    )
    option = parser.add_argument
    option("--variants", default="xtiny", help="such as xtiny,base (%(default)s)")
    option("--sizes", default="448", help="input in pixels (%(default)s)")
    option(
        "--runtimes",
        default="torch-float32,torch-bfloat16,openvino-float32,openvino-bfloat16,auto",
        help="default: %(default)s",
    )
    option("--rounds", type=int, default=20, help="passes of each (%(default)s)")
    option(
        "--window",
        action="store_true",
        help="also click in a real napari window, on 512 and 4096 pixels",
    )
    option("--output", type=Path, help="a JSON file for the figures")
    add_device_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    import json

    from napari_simpleclick.io.atomic import check_writable, replacing
    from napari_simpleclick.modeling.torch_import import import_torch

    import_torch()  # before there is a window
    from napari_simpleclick.evaluation.benchmark import benchmark, benchmark_table

    if arguments.output is not None:
        check_writable(arguments.output)
    document = benchmark(
        split("variants", arguments.variants),
        whole_numbers("sizes", arguments.sizes),
        split("runtimes", arguments.runtimes),  # type: ignore[arg-type]  # checked there
        device=arguments.device,
        rounds=arguments.rounds,
        progress=say,
    )
    say(benchmark_table(document))
    if arguments.window:
        document["window"] = _click_in_windows()
    if arguments.output is not None:
        with replacing(arguments.output) as partial:
            partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _click_in_windows() -> dict[str, dict[str, float]]:
    from napari_simpleclick.plugin.click_benchmark import measure_window_click

    figures = {}
    for side in (512, 4096):
        figures[str(side)] = measured = measure_window_click(side)
        painted, around = (
            measured[f"{part}_median_ms"] for part in ("painted", "around_network")
        )
        say(
            f"click on {side} x {side}: mask after {painted:.0f} ms, "
            f"{around:.0f} ms of them around the network (medians)"
        )
    return figures
