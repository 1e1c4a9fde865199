"""NetworkSource: a network that is built only when something needs it."""

from __future__ import annotations

import hashlib
from functools import cached_property, partial
from typing import TYPE_CHECKING, Self

from napari_simpleclick.modeling.torch_import import import_torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_simpleclick.modeling.simpleclick import SimpleClick


class NetworkSource:
    """A network, and what it can be told by, before it is there.

    A runtime whose compiled network is cached never asks for it, and so saves the
    import of torch and timm, the slowest part of a start.

    Parameters
    ----------
    build : callable
        Returns the network in evaluation mode, float32, on the CPU; called once at
        most.
    digest : str or None
        Hexadecimal SHA-256 of the checkpoint; None where there is no file, and nothing
        about the network is cached.
    """

    def __init__(
        self, build: Callable[[], SimpleClick], digest: str | None = None
    ) -> None:
        self._build = build
        self.digest = digest

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Take the network of a checkpoint file."""
        if not path.is_file():
            return cls(partial(_load, path))  # loading says what is wrong with it
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(partial(_load, path), digest)

    @cached_property
    def network(self) -> SimpleClick:
        """The network itself; not to be changed."""
        return self._build()


def _load(path: Path) -> SimpleClick:
    import_torch()
    from napari_simpleclick.modeling.checkpoint import load_checkpoint

    return load_checkpoint(path)
