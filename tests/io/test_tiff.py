import sys

import numpy as np
import pytest
import tifffile

from napari_simpleclick.io import tiff
from napari_simpleclick.io.tiff import is_tiff, read_tiff, write_tiff

STACK = np.arange(4 * 6 * 5, dtype=np.uint16).reshape(4, 6, 5)


def imagej(path, data, axes, **metadata):
    tifffile.imwrite(
        path,
        data,
        imagej=True,
        resolution=(4, 2),
        metadata={"axes": axes, **metadata},
    )
    return read_tiff(path)


@pytest.mark.parametrize("unit", ["um", "micron", r"\u00B5m"])
def test_imagej_stack(tmp_path, unit):
    volume = imagej(tmp_path / "em.tif", STACK, "ZYX", spacing=1.5, unit=unit)

    np.testing.assert_array_equal(volume.data, STACK)
    assert volume.scale == (1.5, 0.5, 0.25)
    assert volume.units == ("um", "um", "um")
    assert (volume.name, volume.kind, volume.channel_axis) == ("em", "image", None)


def test_imagej_without_spacing_has_slices_one_unit_apart(tmp_path):
    volume = imagej(tmp_path / "em.tif", STACK, "ZYX", unit="nm")

    assert volume.scale == (1, 0.5, 0.25)
    assert volume.units == ("nm", "nm", "nm")


def test_imagej_channels_and_time(tmp_path):
    data = np.arange(2 * 4 * 3 * 6 * 5, dtype=np.uint16).reshape(2, 4, 3, 6, 5)
    volume = imagej(
        tmp_path / "c.tif", data, "TZCYX", spacing=1.5, unit="um", finterval=20
    )

    assert volume.channel_axis == 2
    assert volume.scale == (20, 1.5, 0.5, 0.25)
    assert volume.units == ("s", "um", "um", "um")
    np.testing.assert_array_equal(volume.data, data)


def test_time_without_interval_has_no_unit(tmp_path):
    volume = imagej(tmp_path / "t.tif", STACK, "TYX", unit="um")

    assert volume.scale == (1, 0.5, 0.25)
    assert volume.units == ("pixel", "um", "um")


def test_ome_lengths_come_in_the_unit_of_x(tmp_path):
    tifffile.imwrite(
        tmp_path / "em.ome.tif",
        STACK.astype(np.float32),
        photometric="minisblack",
        metadata={
            "axes": "ZYX",
            "PhysicalSizeX": 5.0,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 6.0,
            "PhysicalSizeYUnit": "nm",
            "PhysicalSizeZ": 0.05,
        },
    )

    volume = read_tiff(tmp_path / "em.ome.tif")

    assert volume.name == "em"
    assert volume.scale == (50, 6, 5)
    assert volume.units == ("nm", "nm", "nm")
    assert volume.data.dtype == np.float32


def test_broken_ome_tells_no_voxel_size_but_gives_the_voxels(tmp_path, caplog):
    broken = "<OME><Description>A & B</Description><Pixels PhysicalSizeX='5'/></OME>"
    tifffile.imwrite(
        tmp_path / "em.ome.tif",
        STACK,
        photometric="minisblack",
        description=broken,
        metadata=None,
    )

    volume = read_tiff(tmp_path / "em.ome.tif")

    np.testing.assert_array_equal(volume.data, STACK)
    assert volume.scale == (1, 1, 1)
    assert volume.units == ("pixel",) * 3
    assert "em.ome.tif tells no voxel size: its OME-XML is broken" in caplog.text


@pytest.mark.parametrize(
    ("unit", "count", "scale", "name"),
    [
        ("CENTIMETER", 20_000, (0.5, 0.5, 0.5), "um"),
        ("INCH", 300, (1, 1, 1), "pixel"),
        ("NONE", 300, (1, 1, 1), "pixel"),
    ],
)
def test_resolution_tags(tmp_path, unit, count, scale, name):
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        for page in STACK:
            file.write(
                page,
                contiguous=False,
                metadata=None,
                resolution=(count, count),
                resolutionunit=unit,
            )

    volume = read_tiff(tmp_path / "pages.tif")

    np.testing.assert_array_equal(volume.data, STACK)
    assert volume.scale == scale
    assert volume.units == (name,) * 3


def test_a_resolution_of_zero_is_none(tmp_path):
    tifffile.imwrite(
        tmp_path / "0.tif", STACK[0], resolution=(0, 0), resolutionunit="CENTIMETER"
    )

    assert read_tiff(tmp_path / "0.tif").scale == (1, 1)


@pytest.mark.parametrize(("samples", "channel"), [(3, None), (2, 3)])
def test_channels_of_several_samples_are_an_axis_of_their_own(
    tmp_path, samples, channel
):
    image = np.arange(2 * 6 * 5 * samples, dtype=np.uint8).reshape(2, 6, 5, samples)
    tifffile.imwrite(
        tmp_path / "c.ome.tif",
        image,
        photometric="rgb" if samples == 3 else "minisblack",
        planarconfig="contig",
        metadata={"axes": "CYXS", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25},
    )

    volume = read_tiff(tmp_path / "c.ome.tif")

    np.testing.assert_array_equal(volume.data, image)
    assert (volume.is_rgb, volume.channel_axis) == (samples == 3, channel)
    assert volume.scale == (1, 0.25, 0.5)
    assert volume.units == ("pixel", "um", "um")


@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_colours_come_last(tmp_path, planes):
    image = np.arange(6 * 5 * 3, dtype=np.uint8).reshape(6, 5, 3)
    stored = image if planes == "contig" else np.moveaxis(image, -1, 0)
    tifffile.imwrite(
        tmp_path / "rgb.tif", stored, photometric="rgb", planarconfig=planes
    )

    volume = read_tiff(tmp_path / "rgb.tif")

    np.testing.assert_array_equal(volume.data, image)
    assert volume.is_rgb
    assert volume.channel_axis is None
    assert volume.scale == (1, 1)


def test_large_uncompressed_stacks_stay_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "_IN_MEMORY_BYTES", 100)
    tifffile.imwrite(tmp_path / "big.tif", STACK, photometric="minisblack")
    foreign = ">" if sys.byteorder == "little" else "<"
    tifffile.imwrite(
        tmp_path / "foreign.tif", STACK, photometric="minisblack", byteorder=foreign
    )

    big, swapped = read_tiff(tmp_path / "big.tif"), read_tiff(tmp_path / "foreign.tif")

    assert isinstance(big.data, np.memmap)
    np.testing.assert_array_equal(big.data, STACK)
    np.testing.assert_array_equal(swapped.data, STACK)
    assert swapped.data.dtype.isnative


@pytest.mark.parametrize(
    ("highest", "dtype"), [(200, "uint8"), (60_000, "uint16"), (70_000, "int32")]
)
@pytest.mark.parametrize("suffix", [".tif", ".ome.tiff"])
def test_labels_come_back_as_they_were(tmp_path, highest, dtype, suffix):
    labels = np.zeros((3, 4, 5), np.int64)
    labels[1, 2, 3] = highest
    path = tmp_path / f"mask{suffix}"

    write_tiff(path, labels, scale=(0.05, 6, 5.3), units=("um", "nm", "nm"))
    volume = read_tiff(path)

    np.testing.assert_array_equal(volume.data, labels)
    assert volume.data.dtype == dtype
    assert volume.kind == "labels"
    assert volume.scale == (50, 6, 5.3)
    assert volume.units == ("nm", "nm", "nm")
    with tifffile.TiffFile(path) as file:
        assert file.is_ome == (highest > 2**16 or suffix != ".tif")
        assert file.is_imagej != file.is_ome


@pytest.mark.parametrize("highest", [3, 70_000])
def test_series_and_planes_of_labels(tmp_path, highest):
    plane = np.full((4, 5), highest)
    series = np.full((2, 3, 4, 5), highest)

    write_tiff(tmp_path / "p.tif", plane, scale=(2, 1), units=("mm", "mm"))
    write_tiff(
        tmp_path / "s.tif",
        series,
        scale=(2.5, 3, 2, 1),
        units=("s", "um", "um", "um"),
    )

    assert read_tiff(tmp_path / "p.tif").scale == (2, 1)
    assert read_tiff(tmp_path / "p.tif").units == ("mm", "mm")
    again = read_tiff(tmp_path / "s.tif")
    assert again.scale == (2.5, 3, 2, 1)
    assert again.units == ("s", "um", "um", "um")
    np.testing.assert_array_equal(again.data, series)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize(
    ("interval", "unit", "seconds"),
    [(60, "s", 60), (2, "min", 120), (500, "ms", 0.5), (20, "us", 2e-5)],
)
def test_labels_of_a_time_lapse_stay_frames(tmp_path, interval, unit, seconds, suffix):
    labels = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    path = tmp_path / f"lapse{suffix}"

    write_tiff(path, labels, scale=(interval, 2, 1), units=(unit, "um", "um"))
    volume = read_tiff(path)

    np.testing.assert_array_equal(volume.data, labels)
    is_ome = suffix != ".tif"
    assert volume.scale == (interval if is_ome else seconds, 2, 1)
    assert volume.units == (unit if is_ome else "s", "um", "um")
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "TYX"
        if not is_ome:
            assert file.imagej_metadata["frames"] == 3
            assert file.imagej_metadata["finterval"] == seconds


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_labels_of_a_time_lapse_of_unknown_interval_stay_frames(tmp_path, suffix):
    image = imagej(tmp_path / "image.tif", STACK, "TYX", unit="um")
    path = tmp_path / f"labels{suffix}"
    write_tiff(path, STACK > 0, scale=image.scale, units=image.units)
    volume = read_tiff(path)
    assert (volume.scale, volume.units) == (image.scale, image.units)
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "TYX"


def test_labels_of_five_axes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"shape \(1, 1, 1, 1, 1\); expected 2 to 4"):
        write_tiff(
            tmp_path / "m.tif",
            np.zeros((1, 1, 1, 1, 1), int),
            scale=(1,) * 5,
            units=("um",) * 5,
        )


def test_only_tiff_files_are_claimed(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK[0])
    (tmp_path / "b.tif").write_bytes(b"not a TIFF at all")
    (tmp_path / "c.tif").mkdir()

    assert is_tiff(tmp_path / "a.tif")
    assert not is_tiff(tmp_path / "b.tif")
    assert not is_tiff(tmp_path / "c.tif")
    assert not is_tiff(tmp_path / "missing.tif")


@pytest.mark.parametrize("head", [b"II*\0\x08\0\0\0", b"II+\0\x08\0\0\0" + bytes(8)])
def test_files_cut_within_their_head_are_not_claimed(tmp_path, head):
    for size in range(len(head)):
        (tmp_path / "cut.tif").write_bytes(head[:size])
        assert not is_tiff(tmp_path / "cut.tif")


@pytest.mark.parametrize("kind", ["ome", "imagej", "pages", "compressed"])
def test_files_that_were_not_copied_whole_are_refused(tmp_path, kind):
    path = tmp_path / "a.tif"
    stack = np.random.default_rng(0).integers(0, 99, (8, 40, 30), np.uint8)
    if kind == "pages":
        with tifffile.TiffWriter(path) as writer:
            for page in stack:
                writer.write(page, contiguous=False, metadata=None)
    else:
        options = {"compression": "zlib"} if kind == "compressed" else {kind: True}
        tifffile.imwrite(path, stack, photometric="minisblack", **options)
    np.testing.assert_array_equal(read_tiff(path).data, stack)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(ValueError, match=r"a\.tif cannot be read as TIFF"):
        read_tiff(path)


def test_broken_files_are_named(tmp_path):
    write_tiff(tmp_path / "m.tif", STACK, scale=(1, 1, 1), units=("um",) * 3)
    whole = (tmp_path / "m.tif").read_bytes()
    (tmp_path / "text.tif").write_text("not an image")
    (tmp_path / "short.tif").write_bytes(whole[:-20])

    for name in ("text.tif", "short.tif"):
        with pytest.raises(ValueError, match=f"{name} cannot be read as TIFF"):
            read_tiff(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_tiff(tmp_path / "none.tif")


@pytest.mark.parametrize(
    ("tag", "value", "reason"),
    [
        ("BitsPerSample", 12, "12-bit.* requires the 'imagecodecs'"),
        ("BitsPerSample", 0, "no voxels"),
        ("Compression", 5, "LZW.* requires the 'imagecodecs'"),
        ("ImageWidth", 0, r"it is broken \(ZeroDivisionError.*copied whole"),
    ],
)
def test_what_cannot_be_decoded_is_explained(tmp_path, tag, value, reason):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK[0])
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[tag].overwrite(value)

    with pytest.raises(ValueError, match=rf"a\.tif cannot be read as TIFF: .*{reason}"):
        read_tiff(path)


def test_ome_without_a_size_is_explained(tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, STACK, ome=True, photometric="minisblack")
    path.write_bytes(path.read_bytes().replace(b"SizeX", b"Sizes", 1))

    with pytest.raises(ValueError, match=r"a\.ome\.tif cannot .* broken \(KeyError"):
        read_tiff(path)
