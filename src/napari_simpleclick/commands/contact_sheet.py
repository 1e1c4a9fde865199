"""contact-sheet: a picture of what a model is trained on."""

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
        "contact-sheet", help="draw examples of what a model is trained on"
    )
    parser.add_argument("--output", type=Path, required=True, help="picture, .png")
    parser.add_argument(
        "--data", type=Path, help="packed images; without them all is made up"
    )
    parser.add_argument(
        "--real-fraction",
        type=float,
        default=0.5,
        help="share of packed images among the examples, 0 to 1 (%(default)s)",
    )
    parser.add_argument("--count", type=int, default=50, help="examples (%(default)s)")
    parser.add_argument(
        "--size", type=int, default=224, help="side of each, in pixels (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    from skimage.io import imsave

    from napari_simpleclick.io.atomic import check_writable, replacing
    from napari_simpleclick.training.contact_sheet import contact_sheet
    from napari_simpleclick.training.dataset import CanvasDataset
    from napari_simpleclick.training.packing import load_pack

    if arguments.output.suffix.lower() != ".png":
        raise ValueError(f"output: {arguments.output}, expected a file name in .png")
    if arguments.size < 1:
        raise ValueError(f"size: {arguments.size}, expected at least 1 pixel")
    check_writable(arguments.output)
    canvases = CanvasDataset(
        load_pack(arguments.data) if arguments.data else [],
        size=arguments.size,
        seed=arguments.seed,
        real_fraction=arguments.real_fraction,
    )
    examples = (canvases[index] for index in range(max(arguments.count, 0)))
    sheet = contact_sheet(examples, arguments.count)
    with replacing(arguments.output) as partial:
        imsave(partial, sheet, check_contrast=False)
    say(f"{arguments.count} examples in {arguments.output}")
