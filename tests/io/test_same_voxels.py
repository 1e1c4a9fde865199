import nibabel
import numpy as np
import pytest
import tifffile

from napari_simpleclick.evaluation.datasets import open_dataset

LAS, RAS = np.diag([-2.0, 2, 3, 1]), np.diag([2.0, 2, 3, 1])
SAGITTAL = np.array([[0, 0, 2.0, 0], [2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 0, 1]])
OBJECT = np.zeros((4, 5, 6), np.uint8)  # as stored, (x, y, z)
OBJECT[1, 1:3, 4] = OBJECT[0, 3, 1] = 2


def nifti(path, stored, affine):
    nibabel.save(nibabel.Nifti1Image(stored, affine), path)


def metaimage(path, stored):
    path.write_text(
        f"NDims = 3\nDimSize = {' '.join(map(str, stored.shape))}\n"
        f"ElementType = MET_UCHAR\nElementDataFile = {path.stem}.raw\n"
    )
    path.with_name(f"{path.stem}.raw").write_bytes(stored.tobytes(order="F"))


def is_on_the_image(dataset):
    samples = list(dataset)
    voxels = sum(np.count_nonzero(sample.mask) for sample in samples)
    assert voxels == np.count_nonzero(OBJECT)
    return all(sample.image[sample.mask].min() == 255 for sample in samples)


@pytest.mark.parametrize("affine", [LAS, RAS, SAGITTAL])
def test_metaimage_and_nifti_store_voxels_in_one_order(tmp_path, affine):
    scan, other_scan = tmp_path / "scan.nii", tmp_path / "scan.mhd"
    labels, other_labels = tmp_path / "labels.nii", tmp_path / "labels.mhd"
    nifti(scan, 100 * OBJECT, affine)
    metaimage(other_labels, OBJECT)
    assert is_on_the_image(open_dataset("volume", scan, labels=other_labels))
    metaimage(other_scan, 100 * OBJECT)
    nifti(labels, OBJECT, affine)
    assert is_on_the_image(open_dataset("volume", other_scan, labels=labels))


def test_labels_without_directions_have_those_of_their_image(tmp_path):
    nifti(tmp_path / "a_image.nii", 100 * OBJECT, LAS)
    nifti(tmp_path / "a_label.nii", OBJECT, None)
    assert is_on_the_image(open_dataset("volume", tmp_path))


def test_labels_may_be_stored_the_other_way_round(tmp_path):
    nifti(tmp_path / "a_image.nii", 100 * OBJECT, LAS)
    mirrored = RAS.copy()
    mirrored[0, 3] = -6  # the left-most voxel comes first
    nifti(tmp_path / "a_label.nii", OBJECT[::-1], mirrored)
    assert is_on_the_image(open_dataset("volume", tmp_path))


def test_labels_that_lie_elsewhere_are_refused(tmp_path):
    nifti(tmp_path / "a_image.nii", 100 * OBJECT, LAS)
    nifti(tmp_path / "a_label.nii", OBJECT, np.eye(4))
    with pytest.raises(ValueError, match=r"a_label\.nii: its axes run to RAS.* LAS"):
        list(open_dataset("volume", tmp_path))


def test_another_origin_does_not_matter(tmp_path):
    nifti(tmp_path / "a_image.nii", 100 * OBJECT, LAS)
    elsewhere = LAS.copy()
    elsewhere[:3, 3] = 40
    nifti(tmp_path / "a_label.nii", OBJECT, elsewhere)
    assert is_on_the_image(open_dataset("volume", tmp_path))


def test_tiff_labels_have_the_order_of_display(tmp_path):
    nifti(tmp_path / "a_image.nii", 100 * OBJECT, LAS)
    shown = OBJECT.T[::-1, ::-1]  # superior and anterior first, right stays left
    tifffile.imwrite(tmp_path / "a_label.tif", shown, photometric="minisblack")
    assert is_on_the_image(open_dataset("volume", tmp_path))
