"""Python as an ordinary user runs it: containers often run tests as root."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
MAIN = "import sys; from napari_simpleclick.cli import main; sys.exit(main())"
"""The command line, as code."""


def run_as_ordinary_user(
    code: str, *arguments: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run code in a new process that heeds permissions, as root's do not."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, **environment},
        preexec_fn=_heed_permissions if is_root else None,
        capture_output=True,
        text=True,
    )


def _heed_permissions() -> None:
    """Let root be refused what its files and folders do not allow (Linux)."""
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
