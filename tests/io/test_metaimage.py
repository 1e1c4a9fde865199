import zlib

import numpy as np
import pytest

from napari_simpleclick.io.metaimage import read_metaimage

HEADER = "ObjectType = Image\nNDims = 3\nDimSize = 3 2 1\nElementSpacing = 0.5 1 2\n"
DATA = np.array([[[1, 2, 3], [-4, 500, 6]]], np.int16)


def test_voxels_beside_the_header(tmp_path):
    text = f"{HEADER}ElementType = MET_SHORT\nElementDataFile = a.raw\n"
    (tmp_path / "a.mhd").write_text(text)
    (tmp_path / "a.raw").write_bytes(DATA.astype("<i2").tobytes())
    volume = read_metaimage(tmp_path / "a.mhd")
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.data.dtype == np.int16
    assert (volume.scale, volume.units) == ((2, 1, 0.5), ("mm",) * 3)


def test_compressed_big_endian_voxels_in_one_file(tmp_path):
    text = (
        f"{HEADER}BinaryDataByteOrderMSB = True\nCompressedData = True\n"
        "ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    voxels = zlib.compress(DATA.astype(">i2").tobytes())
    (tmp_path / "a.mha").write_bytes(text.encode() + voxels)
    np.testing.assert_array_equal(read_metaimage(tmp_path / "a.mha").data, DATA)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no header at all", "no ElementDataFile"),
        (f"{HEADER}ElementType = MET_SHORT\nElementDataFile = LOCAL\n", "reshape"),
        (f"{HEADER}ElementType = MET_ODD\nElementDataFile = LOCAL\n", "MET_ODD"),
        (f"{HEADER}ElementNumberOfChannels = 3\nElementDataFile = LOCAL\n", "channels"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "a.mha").write_text(text)
    with pytest.raises(ValueError, match=f"cannot be read as MetaImage.*{message}"):
        read_metaimage(tmp_path / "a.mha")


def test_missing_voxels_are_named(tmp_path):
    (tmp_path / "a.mhd").write_text(f"{HEADER}ElementDataFile = a.raw\n")
    with pytest.raises(FileNotFoundError, match=r"a\.raw"):
        read_metaimage(tmp_path / "a.mhd")
