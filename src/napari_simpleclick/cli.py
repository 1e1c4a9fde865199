"""The command line: napari-simpleclick segment, demo, models, pack, train, evaluate."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_simpleclick import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each command imports what it needs: torch takes seconds, napari needs a display.


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error that one sentence on stderr explains.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (ImportError, OSError, TypeError, ValueError) as error:
        sys.stderr.write(f"napari-simpleclick: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="napari-simpleclick",
        description="Segment structures in MRI and EM slices by clicks.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_segment(commands)
    _add_demo(commands)
    _add_models(commands)
    _add_pack(commands)
    _add_train(commands)
    _add_evaluate(commands)
    return parser


def _add_segment(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    _add_model_options(parser)
    parser.set_defaults(run=_segment)


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo", help="segment the ventricles of a brain MRI from stored clicks"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("demo_output"),
        help="folder for the results",
    )
    parser.add_argument("--gui", action="store_true", help="open the result in napari")
    _add_model_options(parser)
    parser.set_defaults(run=_demo)


def _add_models(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("models", help="list the known checkpoints")
    parser.add_argument(
        "--import",
        dest="file",
        type=Path,
        help="check a checkpoint file and keep it under its name",
    )
    parser.add_argument("--sha256", help="refuse the file if its digest is another")
    parser.set_defaults(run=_models)


def _add_pack(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("pack", help="pack labelled images for training")
    parser.add_argument("folder", type=Path, help="folder of data sets")
    parser.add_argument("--output", type=Path, required=True, help="file, .npz")
    parser.set_defaults(run=_pack)


def _add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("train", help="train a model")
    parser.add_argument("config", type=Path, help="TOML file")
    parser.add_argument("--output", type=Path, required=True, help="folder for the run")
    parser.add_argument(
        "--restart", action="store_true", help="begin anew instead of resuming"
    )
    parser.set_defaults(run=_train)


def _add_evaluate(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="measure models on a labelled data set, with simulated clicks",
        description="Interrupted, it keeps what is done; the same command goes on.",
    )
    option = parser.add_argument
    option("--dataset", required=True, help="folder, volume, ssTEM, BraTS ...")
    option("--root", type=Path, required=True, help="its folder, or one volume")
    option("--labels", type=Path, help="labels of that one volume")
    option("--model", nargs="+", default=["default"], help="names, files, or baselines")
    option("--output", type=Path, required=True, help="folder for the results")
    option("--max-clicks", type=int, default=20, help="clicks on each object")
    option("--batch-size", type=int, help="objects at once (default: 1 on CPU, GPU 16)")
    option(
        "--flip",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="average with the mirrored image, as published",
    )
    option("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    slices = parser.add_argument_group("slices of volumes")
    slices.add_argument("--axis", type=int, help="0, 1 or 2 of (z, y, x)")
    slices.add_argument("--every", type=int, help="every n-th slice")
    slices.add_argument("--min-area", type=int, help="pixels of an object on a slice")
    parser.set_defaults(run=_evaluate)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="default", help="name or checkpoint file (default: default)"
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "mps"), default="auto"
    )


def _segment(arguments: argparse.Namespace) -> None:
    from napari_simpleclick.segment_file import segment_file

    segmented = segment_file(
        arguments.volume,
        arguments.clicks,
        arguments.output,
        model=arguments.model,
        device=arguments.device,
        index=arguments.index,
    )
    _say(segmented.summary())


def _demo(arguments: argparse.Namespace) -> None:
    from napari_simpleclick.demo import open_demo, run_demo

    if arguments.gui:
        open_demo(arguments.model, arguments.device)
    else:
        _say(run_demo(arguments.output, arguments.model, arguments.device))


def _models(arguments: argparse.Namespace) -> None:
    from napari_simpleclick.modeling.catalog import import_checkpoint, list_models

    if arguments.file is not None:
        entry = import_checkpoint(arguments.file, sha256=arguments.sha256)
        _say(f"{entry.name}  sha256 {entry.sha256}")
        return
    for entry in list_models():
        place = str(entry.path) if entry.is_available else f"get it: {entry.source}"
        _say(f"{entry.name:22} {entry.title}\n{'':22} {place}")


def _pack(arguments: argparse.Namespace) -> None:
    from napari_simpleclick.training.packing import pack

    _say(f"{pack(arguments.folder, arguments.output)} volumes in {arguments.output}")


def _train(arguments: argparse.Namespace) -> None:
    from napari_simpleclick.training.config import TrainConfig
    from napari_simpleclick.training.train import train

    config = TrainConfig.from_toml(arguments.config)
    train(config, arguments.output, resume=not arguments.restart)


def _evaluate(arguments: argparse.Namespace) -> None:
    from napari_simpleclick.evaluation.evaluate import EvaluationOptions, evaluate
    from napari_simpleclick.evaluation.volumes import Slicing

    chosen = {key: getattr(arguments, key) for key in ("axis", "every", "min_area")}
    given = {key: value for key, value in chosen.items() if value is not None}
    options = EvaluationOptions(
        dataset=arguments.dataset,
        root=arguments.root,
        models=tuple(arguments.model),
        output=arguments.output,
        max_clicks=arguments.max_clicks,
        labels=arguments.labels,
        slicing=Slicing(**given) if given else None,
        flip=arguments.flip,
        device=arguments.device,
        batch_size=arguments.batch_size,
    )
    try:
        evaluate(options)
    except KeyboardInterrupt:
        _say(f"stopped; {arguments.output} keeps what is done, run again to go on")
        raise SystemExit(130) from None
    _say(f"report: {arguments.output / 'report.html'}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
