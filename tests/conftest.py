"""What all tests need before any of them is collected."""

from __future__ import annotations

from napari_simpleclick.plugin.driver_conflict import load_triton_apart


def pytest_configure() -> None:
    """Let torch and windows live in one process, whichever comes first."""
    load_triton_apart()
