"""What the commands print."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def say(text: str) -> None:
    r"""Print one or more lines on standard output, where there is one.

    A character that its encoding lacks is written out, as \xb3: what a command has
    done does not fail for the words on it.
    """
    stream: TextIO | None = sys.stdout
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    printable = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(f"{printable}\n")
