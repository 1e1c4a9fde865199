"""train: a model, from a configuration or from one's own labelled images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_simpleclick.commands.console import say

if TYPE_CHECKING:
    import argparse

    from napari_simpleclick.commands.options import Commands

MINUTES = 10.0


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "train",
        help="train a model, or fine-tune one on your own labelled images",
        description="Train as CONFIG says; interrupted, the same command goes on. Or "
        "fine-tune a model by --data; the learning rate falls to zero as the time is "
        "up.",
    )
    option = parser.add_argument
    option("config", type=Path, nargs="?", help="TOML file")
    option("--output", type=Path, help="folder for the run")
    option("--restart", action="store_true", help="begin anew instead of resuming")
    tuning = parser.add_argument_group("fine-tuning")
    tuning.add_argument(
        "--data", type=Path, help="folder of images/ and masks/, or of labelled volumes"
    )
    tuning.add_argument(
        "--init", help="model to start from, a name or a file (default: default)"
    )
    tuning.add_argument("--minutes", type=float, help=f"time (default: {MINUTES:.0f})")
    tuning.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "mps"), help="(default: auto)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    if (arguments.config is None) == (arguments.data is None):
        raise ValueError(
            "train: expected either a TOML file, or --data with a folder of labelled "
            "images to fine-tune on"
        )
    try:
        if arguments.config is None:
            _fine_tune(arguments)
        else:
            _train(arguments)
    except KeyboardInterrupt:
        say("stopped")
        raise SystemExit(130) from None


def _train(arguments: argparse.Namespace) -> None:
    from napari_simpleclick.training.config import TrainConfig
    from napari_simpleclick.training.train import train

    if arguments.output is None:
        raise ValueError("train: expected --output with a folder for the run")
    for name in ("init", "minutes", "device"):
        if getattr(arguments, name) is not None:
            raise ValueError(f"--{name}: expected with --data alone; the file says it")
    config = TrainConfig.from_toml(arguments.config)
    try:
        train(config, arguments.output, resume=not arguments.restart)
    except KeyboardInterrupt:
        say("the same command goes on from the last checkpoint, where there is one")
        raise


def _fine_tune(arguments: argparse.Namespace) -> None:
    from napari_simpleclick.training.finetune import fine_tune

    name = arguments.data.resolve().name
    tuned = fine_tune(
        arguments.data,
        arguments.output or Path(f"{name}-finetuned"),
        initial=arguments.init or "default",
        minutes=MINUTES if arguments.minutes is None else arguments.minutes,
        device=arguments.device or "auto",
        restart=arguments.restart,
    )
    say(tuned.summary())
