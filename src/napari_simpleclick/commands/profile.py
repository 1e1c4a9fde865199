"""profile: what the variants cost on this computer, beside what was published."""

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
        "profile",
        help="parameters, FLOPs, memory and seconds per click of the variants",
        description="Networks have random weights; each is measured in a new process.",
    )
    option = parser.add_argument
    option("--variants", default="xtiny,base,large,huge", help="default: %(default)s")
    option("--sizes", default="224,448", help="input in pixels (default: %(default)s)")
    option("--clicks", type=int, default=5, help="clicks to time (default: 5)")
    option("--output", type=Path, help="a JSON file for the figures")
    add_device_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    import json

    from napari_simpleclick.evaluation.profile import profile, profile_table
    from napari_simpleclick.io.atomic import check_writable, replacing

    if arguments.output is not None:
        check_writable(arguments.output)
    document = profile(
        split("variants", arguments.variants),
        whole_numbers("sizes", arguments.sizes),
        device=arguments.device,
        clicks=arguments.clicks,
        progress=say,
    )
    say(profile_table(document))
    if arguments.output is not None:
        with replacing(arguments.output) as partial:
            partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
