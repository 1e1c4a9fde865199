"""What all tests need before any of them is collected."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from napari_simpleclick.modeling.driver_conflict import load_triton_apart


def pytest_configure() -> None:
    """Let torch and windows live in one process, whichever comes first."""
    load_triton_apart()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(pytestconfig: pytest.Config) -> Iterator[None]:
    """Keep compiled networks apart from the user's, and for the next tests."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("user-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "XDG_CACHE_HOME", str(folder))
        yield
