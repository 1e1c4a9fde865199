"""Options that several commands share."""

from __future__ import annotations

import argparse

Commands = argparse._SubParsersAction
"""What `add_subparsers` returns, and every command adds its parser to."""


def add_device_option(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "mps"), default="auto"
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add --model, for one model, and --device."""
    parser.add_argument(
        "--model", default="default", help="name or checkpoint file (default: default)"
    )
    add_device_option(parser)
