"""Reading of MetaImage volumes: .mha, or .mhd with its voxels in a file beside it."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

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
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
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
    try:
        with path.open("rb") as file:
            header = _header(file)
            inside = header["ElementDataFile"] == "LOCAL"
            beside = path.with_name(header["ElementDataFile"])
            stored = file.read() if inside else beside.read_bytes()
        return _volume(path.stem, header, stored)
    except (KeyError, UnicodeDecodeError, ValueError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read as MetaImage: {error}") from error


def _header(file: BinaryIO) -> dict[str, str]:
    """Read up to the line that says where the voxels are, which is the last one."""
    header: dict[str, str] = {}
    while "ElementDataFile" not in header:
        key, equals, value = file.readline(_LINE_BYTES).decode().partition("=")
        if not equals:
            raise ValueError("its header has no ElementDataFile")
        header[key.strip()] = value.strip()
    return header


def _volume(name: str, header: Mapping[str, str], stored: bytes) -> Volume:
    shape = tuple(map(int, header["DimSize"].split()))[::-1]
    spacing = header.get("ElementSpacing", "1 " * len(shape)).split()
    if header.get("ElementNumberOfChannels", "1") != "1":
        raise ValueError("it has several channels, expected one")
    order = ">" if header.get("BinaryDataByteOrderMSB") == "True" else "<"
    dtype = np.dtype(order + _TYPES[header["ElementType"]])
    if header.get("CompressedData") == "True":
        stored = zlib.decompress(stored)
    data = np.frombuffer(stored, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    return Volume(name, data, tuple(map(float, spacing))[::-1], ("mm",) * len(shape))
