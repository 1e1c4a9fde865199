"""segment: a volume and a file of clicks give a mask, without a window."""

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
        "segment", help="segment a volume from a file of clicks, without a window"
    )
    parser.add_argument("volume", type=Path, help=".nii, .nii.gz, .tif or .tiff")
    parser.add_argument("--clicks", type=Path, required=True, help="JSON file")
    parser.add_argument(
        "--output", type=Path, required=True, help="mask: .nii, .nii.gz, .tif or .tiff"
    )
    parser.add_argument(
        "--index", type=int, default=0, help="which volume of a 4D file (default: 0)"
    )
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    from napari_simpleclick.segment_file import segment_file

    segmented = segment_file(
        arguments.volume,
        arguments.clicks,
        arguments.output,
        model=arguments.model,
        device=arguments.device,
        runtime=arguments.runtime,
        index=arguments.index,
    )
    say(segmented.summary())
