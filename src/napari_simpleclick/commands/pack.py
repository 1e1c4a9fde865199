"""pack: labelled images in one file for training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_simpleclick.commands.console import say

if TYPE_CHECKING:
    import argparse

    from napari_simpleclick.commands.options import Commands


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("pack", help="pack labelled images for training")
    parser.add_argument("folder", type=Path, help="folder of data sets")
    parser.add_argument("--output", type=Path, required=True, help="file, .npz")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    from napari_simpleclick.training.packing import pack

    say(f"{pack(arguments.folder, arguments.output)} volumes in {arguments.output}")
