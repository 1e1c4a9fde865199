"""NetworkWeights: a network as configuration and arrays, which need no torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from safetensors import SafetensorError, safe_open

from napari_simpleclick.modeling.config import SimpleClickConfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.modeling.simpleclick import SimpleClick


@dataclass(frozen=True, slots=True, eq=False)
class NetworkWeights:
    """The numbers of a network; subscripted by the names of `SimpleClick`'s parameters.

    Parameters
    ----------
    config : SimpleClickConfig
        The architecture.
    arrays : mapping of str to ndarray
        Floating-point arrays by the name of the parameter.
    """

    config: SimpleClickConfig
    arrays: Mapping[str, NDArray[np.floating[Any]]]

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """Return an array in float32."""
        return self.arrays[name].astype(np.float32, copy=False)

    @classmethod
    def of(cls, network: SimpleClick) -> Self:
        """Take those of a network on the CPU; they share its memory."""
        state = network.state_dict()
        return cls(network.config, {name: t.numpy() for name, t in state.items()})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of `save_checkpoint`; what its tensors hold is not checked.

        Raises
        ------
        ValueError
            If the file is none.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                config = SimpleClickConfig.from_dict(
                    json.loads((file.metadata() or {})["config"])
                )
                arrays = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, KeyError, TypeError) as error:
            raise ValueError(f"{path} was not written by save_checkpoint") from error
        return cls(config, arrays)
