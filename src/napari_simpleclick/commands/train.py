"""train: a model, from a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from napari_simpleclick.commands.options import Commands


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("train", help="train a model")
    parser.add_argument("config", type=Path, help="TOML file")
    parser.add_argument("--output", type=Path, required=True, help="folder for the run")
    parser.add_argument(
        "--restart", action="store_true", help="begin anew instead of resuming"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    from napari_simpleclick.training.config import TrainConfig
    from napari_simpleclick.training.train import train

    config = TrainConfig.from_toml(arguments.config)
    train(config, arguments.output, resume=not arguments.restart)
