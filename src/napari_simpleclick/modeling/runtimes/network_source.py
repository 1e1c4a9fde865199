"""NetworkSource: a network that is built only when something needs it."""

from __future__ import annotations

from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from napari_simpleclick.modeling.catalog import digest_of
from napari_simpleclick.modeling.network_weights import NetworkWeights
from napari_simpleclick.modeling.runtimes.recorded_answers import read_answers
from napari_simpleclick.modeling.torch_import import import_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_simpleclick.modeling.simpleclick import SimpleClick


class NetworkSource:
    """A network, and what it can be told by, before it is there.

    A runtime whose compiled network is cached never asks for it, nor does OpenVINO for
    a checkpoint with recorded answers: that saves the import of torch, the slowest
    part of a start.

    Parameters
    ----------
    build : callable
        Returns the network in evaluation mode, float32, on the CPU; called once at
        most.
    digest : str or None
        Hexadecimal SHA-256 of the checkpoint; None where there is no file, and nothing
        about the network is cached.
    answers : mapping of int to ndarray
        What it answers, as far as that is recorded, see `read_answers`.
    read : callable or None
        Returns its weights without torch; None to take them from the network.
    """

    def __init__(
        self,
        build: Callable[[], SimpleClick],
        digest: str | None = None,
        *,
        answers: Mapping[int, NDArray[np.float32]] = MappingProxyType({}),
        read: Callable[[], NetworkWeights] | None = None,
    ) -> None:
        self._build = build
        self.digest = digest
        self.answers = answers
        self._read = read

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Take the network of a checkpoint file."""
        if not path.is_file():
            return cls(partial(_load, path))  # loading says what is wrong with it
        digest = digest_of(path)
        answers = read_answers(path, digest)
        # `record_answers` has read it, too, and has checked it.
        read = partial(NetworkWeights.read, path) if answers else None
        return cls(partial(_load, path), digest, answers=answers, read=read)

    @cached_property
    def network(self) -> SimpleClick:
        """The network itself; not to be changed."""
        return self._build()

    @cached_property
    def weights(self) -> NetworkWeights:
        """Its configuration and arrays."""
        return NetworkWeights.of(self.network) if self._read is None else self._read()


def _load(path: Path) -> SimpleClick:
    import_torch()
    from napari_simpleclick.modeling.checkpoint import load_checkpoint

    return load_checkpoint(path)
