"""models: list the known checkpoints, and import more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_simpleclick.commands.console import say

if TYPE_CHECKING:
    import argparse

    from napari_simpleclick.commands.options import Commands


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "models",
        help="list the known checkpoints",
        description="List the checkpoints that --model takes by name: the bundled one, "
        "the published ones, and those that were imported.",
    )
    parser.add_argument(
        "--import",
        dest="file",
        type=Path,
        help="check a checkpoint file and keep it under its name",
    )
    parser.add_argument("--sha256", help="refuse the file if its digest is another")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    from napari_simpleclick.modeling.catalog import import_checkpoint, list_models

    if arguments.file is not None:
        entry = import_checkpoint(arguments.file, sha256=arguments.sha256)
        say(f"{entry.name}  sha256 {entry.sha256}")
        return
    if arguments.sha256 is not None:
        raise ValueError("--sha256 is for a file: add --import")
    for entry in list_models():
        place = str(entry.path) if entry.is_available else f"get it: {entry.source}"
        say(f"{entry.name:22} {entry.title}\n{'':22} {place}")
