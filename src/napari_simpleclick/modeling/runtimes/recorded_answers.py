"""What a checkpoint answers in torch, recorded beside it.

Runtimes are compared with torch in float32 at their first use. For a checkpoint with
recorded answers that needs no torch, whose import takes seconds.
"""

from __future__ import annotations

import logging
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_simpleclick.modeling.catalog import digest_of
from napari_simpleclick.modeling.network_weights import NetworkWeights
from napari_simpleclick.modeling.runtimes.agreement import (
    SLICE_VERSION,
    reference_answer,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_LOG = logging.getLogger(__name__)
_SUFFIX: Final = ".answers.npz"
_STEPS: Final = 1000
"""Of which a probability is a whole number; so is the threshold, 0.49."""


def record_answers(checkpoint: Path) -> Path:
    """Write what a checkpoint answers in torch, in float32, beside it.

    Parameters
    ----------
    checkpoint : Path
        A file of `save_checkpoint`.

    Returns
    -------
    Path
        The file. It holds `reference_answer` by the sizes that the network is used at,
        in steps of a thousandth, and what it belongs to: the checkpoint's SHA-256, and
        the version of the slice.

    Raises
    ------
    ValueError
        If the checkpoint is of another format.
    """
    from napari_simpleclick.modeling.checkpoint import load_checkpoint
    from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager

    network = load_checkpoint(checkpoint)
    if NetworkWeights.read(checkpoint).config != network.config:
        raise ValueError(f"{checkpoint} was not written by save_checkpoint")
    entries: dict[str, Any] = {"of": _owner(digest_of(checkpoint))}
    for size in sorted({network.config.image_size, network.config.glance_size} - {0}):
        answer = reference_answer(TorchEager(network), size)
        entries[str(size)] = np.rint(_STEPS * answer).astype(np.uint16)
    path = checkpoint.with_suffix(_SUFFIX)
    np.savez_compressed(path, **entries)
    return path


def read_answers(checkpoint: Path, digest: str) -> Mapping[int, NDArray[np.float32]]:
    """Read the recorded answers of a checkpoint.

    Parameters
    ----------
    checkpoint : Path
        The file that they lie beside.
    digest : str
        Its hexadecimal SHA-256.

    Returns
    -------
    mapping of int to ndarray
        By size S in pixels: (1, 1, S, S), float32 in [0, 1]. Empty where there are
        none, or damaged ones, or those of another file.
    """
    path = checkpoint.with_suffix(_SUFFIX)
    try:
        with path.open("rb") as file, np.load(file) as found:
            if str(found["of"]) != _owner(digest):
                return {}
            sizes = [int(name) for name in found.files if name != "of"]
            return {size: _unpacked(found[str(size)], size) for size in sizes}
    except FileNotFoundError:
        pass
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        _LOG.warning("%s cannot be read: %s", path, error)
    return {}


def _unpacked(steps: NDArray[np.uint16], size: int) -> NDArray[np.float32]:
    if steps.shape != (1, 1, size, size):
        raise ValueError(f"an answer of shape {steps.shape} at size {size}")
    return steps.astype(np.float32) / np.float32(_STEPS)


def _owner(digest: str) -> str:
    """Name what answers belong to."""
    return f"slice {SLICE_VERSION}, checkpoint {digest}"
