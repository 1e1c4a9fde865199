"""Options that several commands share."""

from __future__ import annotations

import argparse

from napari_simpleclick.modeling.runtimes.runtime import RUNTIMES

Commands = argparse._SubParsersAction
"""What `add_subparsers` returns, and every command adds its parser to."""


def add_device_option(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where to compute (default: cuda where there is one, else cpu)",
    )


def add_runtime_option(parser: argparse.ArgumentParser) -> None:
    """Add --runtime."""
    parser.add_argument(
        "--runtime",
        choices=("auto", *RUNTIMES),
        default="auto",
        help="what computes (default: the fastest that can be used here)",
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add --model, for one model, --device and --runtime."""
    parser.add_argument(
        "--model", default="default", help="name or checkpoint file (default: default)"
    )
    add_device_option(parser)
    add_runtime_option(parser)


def split(name: str, text: str) -> list[str]:
    """Return the parts of a list with commas, "a, b".

    Raises
    ------
    ValueError
        If there is no part; the message gives the option's `name`.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise ValueError(f"{name}: {text!r}, expected at least one")
    return parts


def whole_numbers(name: str, text: str) -> list[int]:
    """Return the numbers of a list with commas, "224,448".

    Raises
    ------
    ValueError
        If there is no part, or one that is no whole number, as in `split`.
    """
    parts = split(name, text)
    for part in parts:
        if not part.isdecimal():
            raise ValueError(
                f"{name}: {part!r}, expected whole numbers such as 224,448"
            )
    return [int(part) for part in parts]
