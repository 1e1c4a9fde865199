"""evaluate: models measured on a labelled data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_simpleclick.commands.console import say
from napari_simpleclick.commands.options import (
    add_device_option,
    add_runtime_option,
)

if TYPE_CHECKING:
    from napari_simpleclick.commands.options import Commands


_REACH = 2


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "evaluate",
        help="measure models on a labelled data set, with simulated clicks",
        description="Interrupted, it keeps what is done; the same command goes on.",
    )
    option = parser.add_argument
    option(
        "--dataset",
        required=True,
        help="folder, volume, or a public layout such as ssTEM or BraTS",
    )
    option("--root", type=Path, required=True, help="its folder, or one volume")
    option("--labels", type=Path, help="labels of that one volume")
    option(
        "--model",
        nargs="+",
        default=["default"],
        help="names, files, or baselines: random-walker, watershed, grabcut",
    )
    option("--output", type=Path, required=True, help="folder for the results")
    option(
        "--max-clicks",
        type=int,
        default=20,
        help="clicks on each object (default: %(default)s)",
    )
    option("--batch-size", type=int, help="objects at once (default: 1 on CPU, GPU 16)")
    option(
        "--flip",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="average with the mirrored image, as published; twice the time",
    )
    add_device_option(parser)
    add_runtime_option(parser)
    option(
        "--cluster",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="compute on dask.distributed: a scheduler's address, or a number of "
        "workers on this computer (default: one a core)",
    )
    slices = parser.add_argument_group("slices of volumes")
    slices.add_argument(
        "--axis",
        type=int,
        help="0, 1 or 2 of (z, y, x) (default: 0; of OAIZIB_volumes that of the "
        "largest voxel size)",
    )
    slices.add_argument(
        "--every",
        type=int,
        help="every n-th slice (default: all; of BraTS_volumes and OAIZIB_volumes "
        "the one with the largest objects)",
    )
    slices.add_argument(
        "--min-area", type=int, help="least pixels of an object on a slice (default: 1)"
    )
    slices.add_argument(
        "--volume-dice",
        action="store_true",
        help="segment whole volumes: click on the slice with the largest error, fill "
        "in the others, report Dice in 3D",
    )
    slices.add_argument(
        "--reach",
        type=int,
        help="with --volume-dice: slices to propagate beyond the outermost clicked "
        f"ones (default: {_REACH})",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    from napari_simpleclick.evaluation.evaluate import EvaluationOptions, evaluate
    from napari_simpleclick.evaluation.volume_layouts import other_slices

    chosen = {key: getattr(arguments, key) for key in ("axis", "every", "min_area")}
    given = {key: value for key, value in chosen.items() if value is not None}
    options = EvaluationOptions(
        dataset=arguments.dataset,
        root=arguments.root,
        models=tuple(arguments.model),
        output=arguments.output,
        max_clicks=arguments.max_clicks,
        labels=arguments.labels,
        slicing=other_slices(arguments.dataset, **given) if given else None,
        flip=arguments.flip,
        device=arguments.device,
        runtime=arguments.runtime,
        batch_size=arguments.batch_size,
        cluster=arguments.cluster,
        reach=_reach(arguments),
    )
    try:
        evaluate(options)
    except KeyboardInterrupt:
        say(f"stopped; {arguments.output} keeps what is done, run again to go on")
        raise SystemExit(130) from None
    say(f"report: {arguments.output / 'report.html'}")


def _reach(arguments: argparse.Namespace) -> int | None:
    """Slices to propagate in whole volumes, None for an evaluation of slices."""
    if arguments.volume_dice:
        return _REACH if arguments.reach is None else int(arguments.reach)
    if arguments.reach is not None:
        raise ValueError(
            f"--reach {arguments.reach} is for whole volumes: add --volume-dice"
        )
    return None
