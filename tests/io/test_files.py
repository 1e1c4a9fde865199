import nibabel as nib
import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Labels

from napari_simpleclick.io.files import (
    get_reader,
    read_volume,
    write_labels,
    write_mask,
)
from napari_simpleclick.io.volume import SOURCE_KEY

AFFINE = np.array([[0, 0, 3, 9], [-0.5, 0, 0, 8], [0, -0.75, 0, 7], [0, 0, 0, 1.0]])
VOXELS = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)


@pytest.fixture
def plugin(npe2pm):
    with npe2pm.tmp_plugin(package="napari-simpleclick"):
        yield


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.nii.gz"
    image = nib.Nifti1Image(VOXELS, AFFINE)
    image.header.set_xyzt_units("mm", "sec")
    image.to_filename(path)
    return path


@pytest.fixture
def stack(tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(
        path,
        np.arange(3 * 2 * 4 * 5, dtype=np.uint8).reshape(3, 2, 4, 5),
        imagej=True,
        resolution=(0.2, 0.2),
        metadata={"axes": "ZCYX", "spacing": 50, "unit": "nm"},
    )
    return path


def test_a_script_reads_and_writes_by_suffix(tmp_path, scan):
    volume = read_volume(scan)
    labels = volume.data > 100

    write_mask(tmp_path / "mask.NII.GZ", labels, volume)
    write_mask(tmp_path / "mask.tiff", labels, volume)

    mask = nib.load(tmp_path / "mask.NII.GZ")
    np.testing.assert_array_equal(np.asarray(mask.dataobj), VOXELS > 100)
    np.testing.assert_array_equal(mask.affine, AFFINE)
    again = read_volume(tmp_path / "mask.tiff")
    np.testing.assert_array_equal(again.data, labels)
    assert again.scale == volume.scale
    assert again.units == ("mm", "mm", "mm")


def test_masks_leave_channels_out(tmp_path, stack):
    volume = read_volume(str(stack))

    write_mask(tmp_path / "mask.tif", volume.data[:, 0] > 60, volume)

    assert read_volume(tmp_path / "mask.tif").data.shape == (3, 4, 5)
    assert read_volume(tmp_path / "mask.tif").scale == (50, 5, 5)


@pytest.mark.parametrize("name", ["scan.png", "scan.nii.bz2", "scan", "scan.csv.gz"])
def test_other_suffixes_are_named(tmp_path, scan, name):
    with pytest.raises(ValueError, match=r"expected a file name in \.nii, \.nii\.gz"):
        read_volume(tmp_path / name)
    with pytest.raises(ValueError, match=r"expected a file name in \.nii, \.nii\.gz"):
        write_mask(tmp_path / name, VOXELS, read_volume(scan))


def test_readers_are_offered_for_files_that_can_be_read(tmp_path, scan, stack):
    (tmp_path / "broken.tif").write_text("no image")
    (tmp_path / "notes.txt").write_text("no image")

    assert get_reader(str(scan)) is not None
    assert get_reader(str(stack)) is not None
    assert get_reader(str(tmp_path / "broken.tif")) is None
    assert get_reader(str(tmp_path / "notes.txt")) is None
    assert get_reader(str(tmp_path / "missing.nii")) is None
    assert get_reader(str(tmp_path)) is None
    assert get_reader([str(stack), str(stack)]) is None


def test_a_grid_of_another_kind_is_named(tmp_path):
    meta = {"metadata": {SOURCE_KEY: "scan.nii"}}

    with pytest.raises(TypeError, match="is str; expected NiftiGrid"):
        write_labels(str(tmp_path / "mask.nii"), np.zeros((2, 2), int), meta)


@pytest.mark.usefixtures("plugin")
def test_napari_opens_a_scan_and_saves_its_mask(tmp_path, scan):
    viewer = ViewerModel()
    [image] = viewer.open(scan, plugin="napari-simpleclick")
    labels = viewer.add_labels(
        np.asarray(image.data > 100).astype(np.uint16),
        scale=image.scale,
        units=image.units,
        metadata={SOURCE_KEY: image.metadata[SOURCE_KEY]},
    )

    path = tmp_path / "mask.nii.gz"
    written = viewer.layers.save(str(path), selected=True, plugin="napari-simpleclick")

    assert written == [str(path)]
    assert image.name == "scan"
    assert [str(unit) for unit in image.units] == ["millimeter"] * 3
    assert tuple(image.scale) == (0.75, 0.5, 3)
    mask = nib.load(path)
    np.testing.assert_array_equal(np.asarray(mask.dataobj), VOXELS > 100)
    np.testing.assert_array_equal(mask.affine, AFFINE)

    [again] = viewer.open(path, plugin="napari-simpleclick")
    assert isinstance(again, Labels)
    np.testing.assert_array_equal(again.data, labels.data)
    np.testing.assert_array_equal(again.extent.world, image.extent.world)


@pytest.mark.usefixtures("plugin")
def test_napari_opens_channels_apart_and_saves_tiff(tmp_path, stack):
    viewer = ViewerModel()
    first, second = viewer.open(stack, plugin="napari-simpleclick")
    assert first.data.shape == second.data.shape == (3, 4, 5)
    assert tuple(second.scale) == (50, 5, 5)
    assert [str(unit) for unit in second.units] == ["nanometer"] * 3
    viewer.add_labels(
        np.asarray(first.data).astype(np.int64),
        scale=first.scale,
        units=first.units,
    )

    path = tmp_path / "mask.tif"
    viewer.layers.save(str(path), selected=True, plugin="napari-simpleclick")

    [again] = viewer.open(path, plugin="napari-simpleclick")
    assert isinstance(again, Labels)
    assert tuple(again.scale) == (50, 5, 5)
    np.testing.assert_array_equal(again.data, first.data)


@pytest.mark.usefixtures("plugin")
def test_napari_saves_the_finest_level_of_a_pyramid(tmp_path):
    levels = [np.eye(8, dtype=np.uint8), np.eye(4, dtype=np.uint8)]
    layer = Labels(levels, multiscale=True, scale=(-2, 1))

    [path] = layer.save(str(tmp_path / "mask.nii"), plugin="napari-simpleclick")

    volume = read_volume(path)
    np.testing.assert_array_equal(volume.data, levels[0][None])
    assert volume.scale == (1, 2, 1)


@pytest.mark.parametrize("sample", ["brain_mri", "em_phantom"])
@pytest.mark.usefixtures("plugin")
def test_napari_opens_the_samples(sample):
    viewer = ViewerModel()

    layers = viewer.open_sample("napari-simpleclick", sample)

    assert len(layers) == (2 if sample == "em_phantom" else 1)
    assert all(layer.ndim == 3 for layer in layers)
