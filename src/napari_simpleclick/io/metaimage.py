"""Reading of MetaImage volumes: .mha, or .mhd with its voxels in a file beside it."""

from __future__ import annotations

import zlib
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from napari_simpleclick.io.decoding import decoding
from napari_simpleclick.io.volume import Volume

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

SUFFIXES: Final = (".mhd", ".mha")

_TYPES: Final = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_BIG_ENDIAN: Final = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
_LINE_BYTES: Final = 4096


def read_metaimage(path: str | os.PathLike[str]) -> Volume:
    """Read a MetaImage file of one channel.

    Parameters
    ----------
    path : path-like
        A ``.mhd`` or ``.mha`` file, plain or compressed.

    Returns
    -------
    Volume
        Data ([z,] y, x) as stored, its axes neither swapped nor flipped; voxel size in
        millimetres.

    Raises
    ------
    FileNotFoundError
        If the file, or the file of its voxels, is not there.
    ValueError
        If it is no MetaImage, or of a kind that this reader does not know.

    References
    ----------
    The MetaImage format: itk.org/Wiki/ITK/MetaIO/Documentation
    """
    path = Path(path)
    with decoding(path, "MetaImage"):
        with path.open("rb") as file:
            header = _header(file)
            stored = _stored(file, header)
        return _volume(path.stem, header, stored)


def _header(file: BinaryIO) -> dict[str, str]:
    """Read up to the line that says where the voxels are, which is the last one."""
    header: dict[str, str] = {}
    while "ElementDataFile" not in header:
        key, equals, value = file.readline(_LINE_BYTES).decode().partition("=")
        if not equals:
            raise ValueError("its header has no ElementDataFile")
        header[key.strip()] = value.strip()
    return header


def _stored(file: BinaryIO, header: Mapping[str, str]) -> bytes:
    """Read the voxels, from here or from the file beside, but for its own header."""
    place = header["ElementDataFile"]
    if place.upper() == "LOCAL":
        return file.read()
    if place.startswith("LIST") or "%" in place:
        raise ValueError(f"its voxels are in several files, {place}; expected one")
    beside = Path(file.name).parent / place
    if not beside.is_file():
        raise FileNotFoundError(f"{file.name}: there is no file {beside}")
    stored = beside.read_bytes()
    skipped = int(header.get("HeaderSize", "0"))  # -1: whatever precedes the voxels
    return stored[skipped if skipped >= 0 else -_byte_count(header) :]


def _volume(name: str, header: Mapping[str, str], stored: bytes) -> Volume:
    shape, dtype = _shape(header), _dtype(header)
    spacing = header.get("ElementSpacing", "1 " * len(shape)).split()
    if len(spacing) != len(shape):
        raise ValueError(f"it has {len(spacing)} voxel sizes, expected {len(shape)}")
    if header.get("ElementNumberOfChannels", "1") != "1":
        raise ValueError("it has several channels, expected one")
    if not _is_true(header, "BinaryData", "True"):
        raise ValueError("its voxels are written as text, expected BinaryData = True")
    if _is_true(header, "CompressedData"):
        stored = zlib.decompress(stored)
    if len(stored) != _byte_count(header):
        raise ValueError(
            f"it has {len(stored)} bytes of voxels, expected {_byte_count(header)}"
        )
    data = np.frombuffer(stored, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    return Volume(name, data, tuple(map(float, spacing))[::-1], ("mm",) * len(shape))


def _shape(header: Mapping[str, str]) -> tuple[int, ...]:
    shape = tuple(map(int, header.get("DimSize", "").split()))[::-1]
    if min(shape, default=0) < 1:
        raise ValueError(f"its DimSize is {header.get('DimSize')}, expected numbers")
    return shape


def _dtype(header: Mapping[str, str]) -> np.dtype:
    """Type of the voxels in the file; its byte order goes by either of two names."""
    name = header.get("ElementType", "")
    if name not in _TYPES:
        raise ValueError(f"its ElementType is {name}, expected {', '.join(_TYPES)}")
    is_big = any(_is_true(header, key) for key in _BIG_ENDIAN)
    return np.dtype((">" if is_big else "<") + _TYPES[name])


def _byte_count(header: Mapping[str, str]) -> int:
    return prod(_shape(header)) * _dtype(header).itemsize


def _is_true(header: Mapping[str, str], key: str, default: str = "False") -> bool:
    """Tell whether a line says yes: by its first letter, as in ITK."""
    return header.get(key, default).startswith(("T", "t", "1"))
