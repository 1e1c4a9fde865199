"""Peak memory, and measuring in a process of its own, where nothing else takes any."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATUS: Final = Path("/proc/self/status")
_PEAK: Final = "VmHWM:"


def peak_memory(place: str) -> int | None:
    """Most memory that this process used so far.

    Parameters
    ----------
    place : str
        What it computes on: "cpu", "cuda" or "mps".

    Returns
    -------
    int or None
        Bytes; on CUDA those allocated there. None where the system does not tell.

    References
    ----------
    proc_pid_status(5), VmHWM. Not getrusage(2), whose maximum on Linux begins with that
    of the process from which this one was started.
    """
    if place == "cuda":
        import torch

        return torch.cuda.max_memory_allocated()
    if place != "cpu":
        return None
    if _STATUS.is_file():
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        found = [line.split()[1] for line in lines if line.startswith(_PEAK)]
        return 1024 * int(found[0]) if found else None
    if sys.platform != "darwin":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure_apart(module: str, arguments: Sequence[str], what: str) -> dict[str, Any]:
    """Run a module that measures, in a fresh process.

    Parameters
    ----------
    module : str
        Run by ``python -m``; it prints one line of JSON.
    arguments : sequence of str
        Those of its command line.
    what : str
        What is measured, for the message.

    Returns
    -------
    dict
        What it printed.

    Raises
    ------
    ChildProcessError
        If it fails, such as for want of memory.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True
    )
    if done.returncode:
        told = done.stderr.strip().splitlines()
        reason = told[-1] if told else f"exit status {done.returncode}"
        raise ChildProcessError(f"{what} could not be measured: {reason}")
    row: dict[str, Any] = json.loads(done.stdout)
    return row
