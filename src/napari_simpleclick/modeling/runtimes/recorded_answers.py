"""What a checkpoint answers in torch, recorded beside it.

Runtimes are compared with torch in float32 at their first use. For a checkpoint with
recorded answers that needs no torch, whose import takes seconds.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_simpleclick.modeling.runtimes.agreement import reference_answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_SUFFIX: Final = ".answers.npz"
_DIGEST: Final = "sha256"
_HIGHEST: Final = 255


def record_answers(checkpoint: Path) -> Path:
    """Write what a checkpoint answers in torch, in float32, beside it.

    Parameters
    ----------
    checkpoint : Path
        A file of `save_checkpoint`.

    Returns
    -------
    Path
        The file: `reference_answer` for every size that the network is used at, in
        steps of 1/255; and the checkpoint's SHA-256.
    """
    from napari_simpleclick.modeling.checkpoint import load_checkpoint
    from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager

    network = load_checkpoint(checkpoint)
    sizes = {network.config.image_size, network.config.glance_size} - {0}
    digest = hashlib.sha256(checkpoint.read_bytes()).digest()
    entries: dict[str, Any] = {_DIGEST: np.frombuffer(digest, dtype=np.uint8)}
    for size in sorted(sizes):
        answer = reference_answer(TorchEager(network), size)
        entries[str(size)] = np.rint(_HIGHEST * answer).astype(np.uint8)
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
        none, or those of another file.
    """
    path = checkpoint.with_suffix(_SUFFIX)
    if not path.is_file():
        return {}
    with np.load(path) as found:
        if found[_DIGEST].tobytes().hex() != digest:
            return {}
        return {
            int(name): found[name].astype(np.float32) / _HIGHEST
            for name in found.files
            if name != _DIGEST
        }
