import nibabel
import numpy as np
import pytest
import tifffile

from napari_simpleclick.evaluation.datasets import open_dataset
from napari_simpleclick.evaluation.slicing import Slicing
from napari_simpleclick.evaluation.volume_layouts import other_slices

SHAPE = (3, 4, 5)  # z, y, x


def nifti(path, data, zooms=(1, 1, 1)):
    """Write (z, y, x) as a file without orientation, which is displayed as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(data.T, None)
    image.header.set_zooms(zooms[::-1])
    image.header.set_xyzt_units("mm")
    image.header["qform_code"] = image.header["sform_code"] = 0
    nibabel.save(image, path)


def ramp():
    return np.arange(60, dtype=np.int16).reshape(SHAPE)


def labels(**voxels):
    array = np.zeros(SHAPE, np.uint8)
    for value, places in voxels.items():
        for place in places:
            array[place] = int(value[1:])
    return array


TWO = labels(v1=[(0, 0, 0), (0, 0, 1), (2, 1, 1)], v7=[(2, 3, 4)])


def names(dataset):
    return [sample.name for sample in dataset]


def test_each_label_on_each_slice(tmp_path):
    nifti(tmp_path / "a_image.nii.gz", ramp(), (2, 0.5, 0.25))
    nifti(tmp_path / "a_label.nii.gz", TWO)
    samples = list(open_dataset("volume", tmp_path))
    assert [s.name for s in samples] == ["a/0/1", "a/2/1", "a/2/7"]
    assert np.argwhere(samples[0].mask).tolist() == [[0, 0], [0, 1]]
    assert samples[0].pixel_size == (0.5, 0.25)
    assert samples[0].image[0, 0] == 0
    assert samples[2].image[3, 4] == 255  # limits are the volume's


def test_images_may_share_labels(tmp_path):
    for name in ("07_FLAIR", "07_T1", "07_T1_late", "08"):
        nifti(tmp_path / f"{name}_image.nii.gz", ramp())
    nifti(tmp_path / "07_label.nii.gz", labels(v1=[(0, 0, 0)]))
    nifti(tmp_path / "07_T1_late_label.nii.gz", labels(v2=[(1, 0, 0)]))
    nifti(tmp_path / "08_label.nii.gz", labels(v3=[(2, 0, 0)]))
    assert names(open_dataset("volume", tmp_path)) == [
        "07_T1_late/1/2",
        "07_FLAIR/0/1",
        "07_T1/0/1",
        "08/2/3",
    ]


def test_equal_names_in_two_folders_are_two_volumes(tmp_path):
    for folder, z in (("one", 0), ("two", 2)):
        nifti(tmp_path / folder / "a_image.nii", ramp())
        nifti(tmp_path / folder / "a_label.nii", labels(v1=[(z, 0, 0)]))
    assert names(open_dataset("volume", tmp_path)) == ["one/a/0/1", "two/a/2/1"]


@pytest.mark.parametrize("kind", ["image", "label"])
def test_two_files_of_one_name_are_refused(tmp_path, kind):
    for each in ("image", "label"):
        nifti(tmp_path / f"a_{each}.nii.gz", TWO)
    nifti(tmp_path / f"a_{kind}.nii", TWO)
    with pytest.raises(
        ValueError, match=rf"a_{kind}\.nii and .*a_{kind}\.nii\.gz have"
    ):
        open_dataset("volume", tmp_path)


def test_two_scans_of_one_case_are_refused(tmp_path):
    for name in ("c_seg.nii", "c_flair.nii", "c_flair.nii.gz"):
        nifti(tmp_path / name, TWO)
    with pytest.raises(ValueError, match=r"c_flair\.nii and .*c_flair\.nii\.gz have"):
        open_dataset("BraTS_volumes", tmp_path)


def test_hidden_files_are_no_volumes(tmp_path):
    for kind in ("image", "label"):
        nifti(tmp_path / f"a_{kind}.nii", TWO)
        (tmp_path / f"._a_{kind}.nii").write_bytes(b"what macOS leaves on USB sticks")
    assert names(open_dataset("volume", tmp_path)) == ["a/0/1", "a/2/1", "a/2/7"]


def test_channels_are_no_slices(tmp_path):
    for kind in ("image", "label"):
        tifffile.imwrite(
            tmp_path / f"a_{kind}.tif", TWO, imagej=True, metadata={"axes": "CYX"}
        )
    with pytest.raises(ValueError, match=r"a_image\.tif has colours or channels"):
        list(open_dataset("volume", tmp_path))


def test_axis_every_and_minimum_area(tmp_path):
    nifti(tmp_path / "a_image.nii", ramp(), (2, 0.5, 0.25))
    nifti(tmp_path / "a_label.nii", TWO)

    def take(**options):
        return names(open_dataset("volume", tmp_path, slicing=Slicing(**options)))

    assert take(axis=2) == ["a/0/1", "a/1/1", "a/4/7"]
    assert take(axis=2, every=2) == ["a/0/1", "a/4/7"]
    assert take(min_area=2) == ["a/0/1"]
    assert take(axis=None, largest_only=True) == ["a/0/1"]


def test_one_file_and_its_labels(tmp_path):
    tifffile.imwrite(tmp_path / "em.tif", ramp(), photometric="minisblack")
    tifffile.imwrite(tmp_path / "truth.tif", TWO, photometric="minisblack")
    dataset = open_dataset("volume", tmp_path / "em.tif", labels=tmp_path / "truth.tif")
    samples = list(dataset)
    assert [s.name for s in samples] == ["em/0/1", "em/2/1", "em/2/7"]
    assert samples[0].pixel_size is None


def test_whole_volumes_and_their_slices(tmp_path):
    nifti(tmp_path / "a_image.nii.gz", ramp(), (2, 0.5, 0.25))
    nifti(tmp_path / "a_label.nii.gz", TWO)
    dataset = open_dataset("volume", tmp_path, reach=2)
    assert dataset.measure == "dice"
    one, seven = dataset
    assert (one.name, seven.name, one.reach) == ("a/1", "a/7", 2)
    assert one.image.shape == SHAPE
    assert (one.image.dtype, one.image.min(), one.image.max()) == (np.uint8, 0, 255)
    np.testing.assert_array_equal(one.mask, TWO == 1)
    assert list(one.slices) == [0, 1, 2]
    assert one.voxel_size == (2, 0.5, 0.25)

    def take(**options):
        slicing = Slicing(**options)
        return list(open_dataset("volume", tmp_path, slicing=slicing, reach=0))

    (along_x,) = take(axis=2, every=4, min_area=1)[1:]
    np.testing.assert_array_equal(along_x.mask, np.moveaxis(TWO == 7, 2, 0))
    assert list(along_x.slices) == [0, 4]
    assert along_x.voxel_size == (0.25, 2, 0.5)
    assert [s.name for s in take(min_area=2)] == ["a/1"]
    assert [s.name for s in take(axis=1, every=2)] == ["a/1"]


def test_whole_brats_volumes_are_not_one_slice(tmp_path):
    nifti(tmp_path / "c_flair.nii", ramp())
    nifti(tmp_path / "c_seg.nii", TWO)
    (sample,) = open_dataset("BraTS_volumes", tmp_path, reach=0)
    np.testing.assert_array_equal(sample.mask, TWO > 0)
    assert list(sample.slices) == [0, 1, 2]


def test_slices_are_no_volumes(tmp_path):
    with pytest.raises(ValueError, match=r"'folder' has no volumes, expected volume"):
        open_dataset("folder", tmp_path, reach=0)
    with pytest.raises(ValueError, match="reach: -1"):
        open_dataset("volume", tmp_path, reach=-1)


@pytest.mark.parametrize(
    ("folder", "image", "label"),
    [
        ("BraTS20_Training_001", "_flair.nii", "_seg.nii"),
        ("BraTS-GLI-00000-000", "-t2f.nii.gz", "-seg.nii.gz"),
    ],
)
def test_brats_volumes_give_the_largest_axial_slice(tmp_path, folder, image, label):
    case = tmp_path / folder / folder
    for other in ("_t1.nii", "-t1n.nii.gz"):
        nifti(case.with_name(folder + other), np.zeros(SHAPE, np.int16))
    nifti(case.with_name(folder + image), ramp())
    nifti(case.with_name(folder + label), TWO)
    (sample,) = open_dataset("BraTS_volumes", tmp_path)
    assert sample.name == f"{folder}/0/1"
    assert sample.image[0, 1] > 0


def metaimage(path, data, spacing):
    kinds = {"uint8": "MET_UCHAR", "int16": "MET_SHORT"}
    path.write_text(
        f"ObjectType = Image\nNDims = 3\nDimSize = {' '.join(map(str, data.T.shape))}\n"
        f"ElementSpacing = {' '.join(map(str, spacing[::-1]))}\n"
        f"ElementType = {kinds[data.dtype.name]}\n"
        f"ElementDataFile = {path.stem}.raw\n"
    )
    path.with_suffix(".raw").write_bytes(data.tobytes())


def test_oaizib_volumes_give_cartilage_on_one_sagittal_slice(tmp_path):
    bones = [(z, y, 0) for z in range(3) for y in range(4)]
    truth = labels(v1=bones, v2=[(0, 0, 3)], v4=[(1, 1, 3), (2, 1, 3)])
    (tmp_path / "labels").mkdir()
    metaimage(
        tmp_path / "labels" / "9001104.segmentation_masks.mhd", truth, (0.4, 0.4, 0.7)
    )
    metaimage(tmp_path / "9001104.mhd", ramp(), (0.4, 0.4, 0.7))
    samples = list(open_dataset("OAIZIB_volumes", tmp_path))
    assert [s.name for s in samples] == ["9001104/3/2", "9001104/3/4"]
    assert samples[1].mask.sum() == 2
    assert samples[0].pixel_size == (0.4, 0.4)


def test_missing_files_are_named_with_what_was_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected pairs NAME_image"):
        open_dataset("volume", tmp_path / "no")
    with pytest.raises(ValueError, match="no label volume; expected CASE/CASE_flair"):
        open_dataset("BraTS_volumes", tmp_path)
    nifti(tmp_path / "a_label.nii", TWO)
    with pytest.raises(ValueError, match=r"a_label\.nii has no image; expected pairs"):
        open_dataset("volume", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file .*b\.nii"):
        open_dataset("volume", tmp_path / "b.nii", labels=tmp_path / "a_label.nii")


def test_other_shapes_and_types_are_refused(tmp_path):
    nifti(tmp_path / "a_image.nii", ramp())
    nifti(tmp_path / "a_label.nii", TWO[:2])
    with pytest.raises(ValueError, match=r"a_label.nii: shape \(2, 4, 5\), expected"):
        list(open_dataset("volume", tmp_path))
    nifti(tmp_path / "a_label.nii", TWO + np.float32(0.5))
    with pytest.raises(TypeError, match=r"a_label\.nii: dtype float32"):
        list(open_dataset("volume", tmp_path))
    nifti(tmp_path / "a_label.nii", TWO.astype(np.float32))
    assert names(open_dataset("volume", tmp_path)) == ["a/0/1", "a/2/1", "a/2/7"]


def test_other_slices_keep_what_is_not_asked_for():
    sagittal = {"axis": None, "min_area": 1, "largest_only": False}
    assert other_slices("OAIZIB_volumes", every=4) == Slicing(every=4, **sagittal)
    largest = Slicing(axis=0, min_area=20, largest_only=True)
    assert other_slices("BraTS_volumes", min_area=20) == largest
    assert other_slices("volume", axis=2) == Slicing(axis=2)


@pytest.mark.parametrize("options", [{"axis": 3}, {"every": 0}, {"min_area": 0}])
def test_slicing_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Slicing(**options)
