"""read_torch_file: the tensors and the configuration in a file of `torch.save`.

Both of PyTorch's formats hold one pickle that describes the tensors, and beside it the
numbers: as entries of a zip archive (since PyTorch 1.6), or one after the other.
"""

from __future__ import annotations

import struct
import sys
import zipfile
from dataclasses import dataclass
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.safe_pickle import Pickled, unpickle
from napari_simpleclick.modeling.stored_tensor import Storage, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import BinaryIO

_ZIP_MAGIC = b"PK\x03\x04"
_LEGACY_MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""First bytes of the two formats; the second is a number, pickled."""

_MAX_PICKLE_BYTES = 4 * 2**20
_LEGACY_PROTOCOL = 1001
_DAMAGED_ZIP = (
    zipfile.BadZipFile,
    NotImplementedError,
    EOFError,
    ValueError,
    OverflowError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class TorchFile:
    """What a PyTorch file holds.

    Parameters
    ----------
    tensors : dict
        The state dict, on the CPU; tensors may share memory.
    config : object
        What stands beside the state dict under "config"; None where nothing does.
    """

    tensors: dict[str, Tensor]
    config: object = None


def read_torch_file(path: Path) -> TorchFile:
    """Read a state dict, bare or under "state_dict" or "model", and run nothing.

    Parameters
    ----------
    path : Path
        A file that `torch.save` wrote, in the zip format or the older one.

    Returns
    -------
    TorchFile
        Its tensors and its configuration.

    Raises
    ------
    CheckpointError
        If the file is damaged, is no state dict, or names what weights do not need.
    """
    with path.open("rb") as file:
        start = file.read(len(_LEGACY_MAGIC))
        file.seek(0)
        if start == _LEGACY_MAGIC:
            return _read_legacy(file, path.stat().st_size)
        if not start.startswith(_ZIP_MAGIC):
            raise CheckpointError("is no checkpoint: it begins like no file of weights")
        try:
            with zipfile.ZipFile(file) as archive:
                return _read_zip(archive, path.stat().st_size)
        except CheckpointError:
            raise
        except _DAMAGED_ZIP as error:
            raise CheckpointError("is a damaged zip archive") from error


def _read_zip(archive: zipfile.ZipFile, file_size: int) -> TorchFile:
    entries = {entry.filename: entry for entry in archive.infolist()}
    prefix = _zip_prefix(entries, file_size)
    pickled = unpickle(BytesIO(archive.read(f"{prefix}data.pkl")))
    byteorder = f"{prefix}byteorder"
    if byteorder in entries and archive.read(byteorder) != sys.byteorder.encode():
        raise CheckpointError("was written in another byte order")

    def read(storage: Storage) -> bytes:
        entry = entries.get(f"{prefix}data/{storage.key}")
        if entry is None or entry.file_size != storage.nbytes:
            raise CheckpointError(f"lacks the numbers of storage {storage.key[:40]!r}")
        return archive.read(entry)

    return _assemble(pickled, read, file_size)


def _zip_prefix(entries: Mapping[str, zipfile.ZipInfo], file_size: int) -> str:
    """Find the archive's folder; refuse what PyTorch does not write."""
    pickles = [name for name in entries if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise CheckpointError("is a zip archive, but none that PyTorch wrote")
    prefix = pickles[0].removesuffix("data.pkl")
    if f"{prefix}constants.pkl" in entries:
        raise CheckpointError("is a TorchScript program, not a file of weights")
    stored = all(
        entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1
        for entry in entries.values()
    )
    if any(not 0 <= entry.header_offset < file_size for entry in entries.values()):
        raise CheckpointError("is a damaged zip archive")
    if not stored or sum(entry.file_size for entry in entries.values()) > file_size:
        raise CheckpointError("is a compressed archive, which PyTorch does not write")
    if entries[pickles[0]].file_size > _MAX_PICKLE_BYTES:
        raise CheckpointError("describes far more tensors than a model has")
    return prefix


def _read_legacy(file: BinaryIO, file_size: int) -> TorchFile:
    stream = BytesIO(file.read(_MAX_PICKLE_BYTES))
    _magic, protocol, system, pickled, keys = (unpickle(stream) for _ in range(5))
    if protocol.root != _LEGACY_PROTOCOL or not isinstance(keys.root, list):
        raise CheckpointError("is a damaged PyTorch file")
    little_endian = isinstance(system.root, dict) and system.root.get("little_endian")
    if little_endian is not (sys.byteorder == "little"):
        raise CheckpointError("was written in another byte order")
    places = _legacy_places(file, stream.tell(), keys.root, pickled.storages)

    def read(storage: Storage) -> bytes:
        place = places.get(storage.key, file_size)
        if place + storage.nbytes > file_size:
            raise CheckpointError(f"lacks the numbers of storage {storage.key[:40]!r}")
        file.seek(place)
        return file.read(storage.nbytes)

    return _assemble(pickled, read, file_size)


def _legacy_places(
    file: BinaryIO, place: int, keys: list[object], storages: Mapping[str, Storage]
) -> dict[str, int]:
    """Find where each storage's numbers start; a count of eight bytes precedes them."""
    places = {}
    for key in keys:
        storage = storages.get(key) if isinstance(key, str) else None
        file.seek(place)
        count = int.from_bytes(file.read(8), sys.byteorder)
        if storage is None or count != storage.size:
            raise CheckpointError("is a damaged PyTorch file")
        places[storage.key] = place + 8
        place += 8 + storage.nbytes
    return places


def _assemble(
    pickled: Pickled, read: Callable[[Storage], bytes], file_size: int
) -> TorchFile:
    stored, config = _state_dict(pickled.root)
    claimed = sum(
        prod(tensor.shape) * tensor.storage.dtype.itemsize for tensor in stored.values()
    )
    if claimed > file_size:
        raise CheckpointError(
            f"claims {claimed} bytes of tensors but has only {file_size} bytes"
        )
    numbers: dict[str, Tensor] = {}
    for storage in {tensor.storage for tensor in stored.values()}:
        data = bytearray(read(storage))
        if not data:
            raise CheckpointError("holds a tensor without numbers")
        numbers[storage.key] = torch.frombuffer(data, dtype=storage.dtype)
    tensors = {
        key: numbers[tensor.storage.key].as_strided(
            tensor.shape, tensor.stride, tensor.offset
        )
        for key, tensor in stored.items()
    }
    return TorchFile(tensors, config)


def _state_dict(root: object) -> tuple[dict[str, StoredTensor], object]:
    """Find the state dict and the configuration in what the pickle holds."""
    if not isinstance(root, dict):
        raise CheckpointError("holds no state dict")
    state, config = root, None
    for name in ("state_dict", "model"):
        if isinstance(root.get(name), dict):
            state, config = root[name], root.get("config")
            break
    if not isinstance(state, dict) or not state:
        raise CheckpointError("holds no state dict")
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, StoredTensor):
            raise CheckpointError(
                f"holds no state dict: its entry {str(key)[:60]!r} is no tensor"
            )
    return state, config
