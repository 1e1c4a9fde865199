"""The command line: napari-simpleclick, with a command from each of `COMMANDS`."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from napari_simpleclick import __version__
from napari_simpleclick.commands import (
    benchmark,
    contact_sheet,
    demo,
    evaluate,
    models,
    pack,
    profile,
    segment,
    train,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each command imports what it needs: torch takes seconds, napari needs a display.
COMMANDS = (
    segment,
    demo,
    models,
    pack,
    contact_sheet,
    train,
    evaluate,
    profile,
    benchmark,
)
"""The commands in the order of the help; each module has `add` and `run`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error that one sentence on stderr explains, or
        130 after Ctrl-C.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except (ImportError, OSError, TypeError, ValueError) as error:
        sys.stderr.write(f"napari-simpleclick: {_sentence(error)}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("napari-simpleclick: stopped\n")
        return 130
    return 0


def _sentence(error: Exception) -> str:
    """Leave out the number that an error of the system begins with."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="napari-simpleclick",
        description="Segment structures in MRI and EM slices by clicks.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
