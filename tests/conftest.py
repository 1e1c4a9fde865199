"""What all tests need before any of them is collected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_simpleclick.plugin.driver_conflict import load_triton_apart


def pytest_configure() -> None:
    """Let torch and windows live in one process, whichever comes first."""
    load_triton_apart()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep compiled networks of one run of the tests away from the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "XDG_CACHE_HOME", str(folder))
        yield folder
