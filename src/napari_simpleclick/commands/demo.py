"""demo: the ventricles of a brain MRI from stored clicks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_simpleclick.commands.console import say
from napari_simpleclick.commands.options import add_model_options

if TYPE_CHECKING:
    import argparse

    from napari_simpleclick.commands.options import Commands


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "demo", help="segment the ventricles of a brain MRI from stored clicks"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("demo_output"),
        help="folder for the results (default: %(default)s)",
    )
    parser.add_argument("--gui", action="store_true", help="open the result in napari")
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    from napari_simpleclick.demo import open_demo, run_demo

    computed_by = arguments.model, arguments.device, arguments.runtime
    if arguments.gui:
        open_demo(*computed_by)
    else:
        say(run_demo(arguments.output, *computed_by))
