"""What the commands print."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print one or more lines on standard output."""
    sys.stdout.write(f"{text}\n")
