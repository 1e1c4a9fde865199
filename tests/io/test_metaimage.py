import zlib

import numpy as np
import pytest

from napari_simpleclick.io.metaimage import read_metaimage

HEADER = "ObjectType = Image\nNDims = 3\nDimSize = 3 2 1\nElementSpacing = 0.5 1 2\n"
SHORTS = f"{HEADER}ElementType = MET_SHORT\n"
DATA = np.array([[[1, 2, 3], [-4, 500, 6]]], np.int16)


def test_voxels_beside_the_header(tmp_path):
    text = f"{HEADER}ElementType = MET_SHORT\nElementDataFile = a.raw\n"
    (tmp_path / "a.mhd").write_text(text)
    (tmp_path / "a.raw").write_bytes(DATA.astype("<i2").tobytes())
    volume = read_metaimage(tmp_path / "a.mhd")
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.data.dtype == np.int16
    assert (volume.scale, volume.units) == ((2, 1, 0.5), ("mm",) * 3)


@pytest.mark.parametrize("order", ["BinaryDataByteOrderMSB", "ElementByteOrderMSB"])
@pytest.mark.parametrize("yes", ["True", "true", "1"])
def test_compressed_big_endian_voxels_in_one_file(tmp_path, order, yes):
    text = f"{SHORTS}{order} = {yes}\nCompressedData = {yes}\nElementDataFile = LOCAL\n"
    voxels = zlib.compress(DATA.astype(">i2").tobytes())
    (tmp_path / "a.mha").write_bytes(text.encode() + voxels)
    np.testing.assert_array_equal(read_metaimage(tmp_path / "a.mha").data, DATA)


@pytest.mark.parametrize(
    ("name", "dtype"), [("LONG", "i4"), ("LONG_LONG", "i8"), ("FLOAT", "f4")]
)
def test_types_of_voxels(tmp_path, name, dtype):
    text = f"{HEADER}ElementType = MET_{name}\nElementDataFile = Local\n"
    (tmp_path / "a.mha").write_bytes(text.encode() + DATA.astype(dtype).tobytes())
    volume = read_metaimage(tmp_path / "a.mha")
    np.testing.assert_array_equal(volume.data, DATA)
    assert volume.data.dtype == dtype


@pytest.mark.parametrize("size", [9, -1])
def test_voxels_in_a_folder_of_their_own_after_another_header(tmp_path, size):
    text = f"{SHORTS}HeaderSize = {size}\nElementDataFile = raw/a.bin\n"
    (tmp_path / "a.mhd").write_text(text)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.bin").write_bytes(b"9 letters" + DATA.tobytes())
    np.testing.assert_array_equal(read_metaimage(tmp_path / "a.mhd").data, DATA)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no header at all", "no ElementDataFile"),
        (f"{SHORTS}ElementDataFile = LOCAL\n", "0 bytes .* expected 12"),
        (f"{HEADER}ElementType = MET_ODD\nElementDataFile = LOCAL\n", "MET_ODD"),
        (f"{SHORTS}ElementNumberOfChannels = 3\nElementDataFile = LOCAL\n", "channels"),
        (f"{SHORTS}ElementSpacing = 1 1\nElementDataFile = LOCAL\n", "2 voxel sizes"),
        (f"{SHORTS}BinaryData = False\nElementDataFile = LOCAL\n", "as text"),
        (f"{SHORTS}ElementDataFile = LIST\n", "several files"),
        (f"{HEADER}ElementDataFile = LOCAL\n", "ElementType is , expected MET_CHAR"),
        ("ElementType = MET_INT\nElementDataFile = LOCAL\n", "DimSize is None"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "a.mha").write_text(text)
    with pytest.raises(ValueError, match=f"cannot be read as MetaImage.*{message}"):
        read_metaimage(tmp_path / "a.mha")


def test_missing_voxels_are_named(tmp_path):
    (tmp_path / "a.mhd").write_text(f"{HEADER}ElementDataFile = a.raw\n")
    with pytest.raises(FileNotFoundError, match=r"a\.mhd: there is no file .*a\.raw"):
        read_metaimage(tmp_path / "a.mhd")
