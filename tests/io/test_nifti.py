import gzip
import mmap
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_simpleclick.io import nifti
from napari_simpleclick.io.nifti import read_nifti, write_nifti

SHAPE = (5, 6, 7)  # stored axes
MARKER = (1, 2, 4)

OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.2, 0.3, -0.1) @ np.diag([0.5, 0.75, 3.0]), [-9, 4, 2]
)
AFFINES = {
    "RAS": np.diag([0.5, 0.75, 3, 1]),
    "LPI": np.array([[-0.5, 0, 0, 9], [0, -0.75, 0, 8], [0, 0, -3, 7], [0, 0, 0, 1.0]]),
    "PIR": np.array([[0, 0, 3, 9], [-0.5, 0, 0, 8], [0, -0.75, 0, 7], [0, 0, 0, 1.0]]),
    "ASL": np.array([[0, 0, -3, 9], [0.5, 0, 0, 8], [0, 0.75, 0, 7], [0, 0, 0, 1.0]]),
    "oblique": OBLIQUE,
}


def save(path: Path, voxels: np.ndarray, affine=None, image=nib.Nifti1Image) -> Path:
    file = image(voxels, np.diag([0.5, 0.75, 3, 1]) if affine is None else affine)
    file.header.set_xyzt_units("mm", "sec")
    file.to_filename(path)
    return path


def marked(dtype=np.int16) -> np.ndarray:
    voxels = np.zeros(SHAPE, dtype)
    voxels[MARKER] = 7
    return voxels


def write_back(path: Path, volume, labels) -> nib.Nifti1Image:
    write_nifti(path, labels, scale=volume.scale, units=volume.units, grid=volume.grid)
    return nib.load(path)


@pytest.mark.parametrize("name", AFFINES)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_mask_overlays_its_image_voxel_by_voxel(tmp_path, name, suffix):
    source = save(tmp_path / f"t1{suffix}", marked(), AFFINES[name])
    volume = read_nifti(source)

    mask = write_back(tmp_path / f"out{suffix}", volume, volume.data == 7)

    np.testing.assert_array_equal(np.argwhere(mask.dataobj), [MARKER])
    np.testing.assert_array_equal(mask.affine, nib.load(source).affine)
    assert mask.get_data_dtype() == np.uint8


@pytest.mark.parametrize("name", AFFINES)
def test_display_runs_to_inferior_posterior_left(tmp_path, name):
    volume = read_nifti(save(tmp_path / "t1.nii", marked(), AFFINES[name]))

    at = np.argwhere(volume.data == 7)[0]
    steps = []
    for axis in range(3):
        moved = at.copy()
        moved[axis] += 1
        steps.append(world(volume, moved) - world(volume, at))
    steps = np.array(steps)

    dominant = steps[[0, 1, 2], [2, 1, 0]]  # z moves S, y moves A, x moves R
    assert (dominant < 0).all()
    np.testing.assert_array_equal(np.abs(steps).argmax(axis=1), [2, 1, 0])
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), volume.scale, rtol=1e-6)


def world(volume, position) -> np.ndarray:
    """Millimetres of a displayed voxel, by way of the file's own affine."""
    one = np.zeros(volume.data.shape, bool)
    one[tuple(position)] = True
    stored = np.argwhere(volume.grid.to_stored(one))[0]
    return nib.affines.apply_affine(volume.grid.header.get_best_affine(), stored)


def test_sizes_and_units_follow_the_axes(tmp_path):
    volume = read_nifti(save(tmp_path / "t1.nii", marked(), AFFINES["PIR"]))

    # Stored x is anatomical y, stored y is z, stored z is x.
    assert volume.data.shape == (6, 5, 7)
    assert volume.scale == (0.75, 0.5, 3.0)
    assert volume.units == ("mm", "mm", "mm")
    assert volume.name == "t1"
    assert volume.kind == "image"


def test_time_comes_first_and_a_mask_may_leave_it_out(tmp_path):
    voxels = np.arange(5 * 6 * 7 * 3, dtype=np.int16).reshape(5, 6, 7, 3)
    image = nib.Nifti1Image(voxels, AFFINES["RAS"])
    image.header.set_zooms((0.5, 0.75, 3, 1500))
    image.header.set_xyzt_units("mm", "msec")
    image.to_filename(tmp_path / "bold.nii.gz")

    volume = read_nifti(tmp_path / "bold.nii.gz")

    assert volume.data.shape == (3, 7, 6, 5)
    assert volume.scale == (1500, 3, 0.75, 0.5)
    assert volume.units == ("ms", "mm", "mm", "mm")
    np.testing.assert_array_equal(volume.data[2, ::-1, ::-1, ::-1].T, voxels[..., 2])

    one = write_back(tmp_path / "one.nii", volume, volume.data[1] == voxels[MARKER][1])
    every = write_back(tmp_path / "all.nii", volume, volume.data == voxels[MARKER][1])

    np.testing.assert_array_equal(np.argwhere(one.dataobj), [MARKER])
    np.testing.assert_array_equal(np.argwhere(every.dataobj), [(*MARKER, 1)])
    np.testing.assert_array_equal(one.affine, image.affine)
    assert one.shape == SHAPE
    assert every.header.get_zooms() == (0.5, 0.75, 3, 1500)


def test_header_of_the_image_is_kept(tmp_path):
    image = nib.Nifti1Image(marked(), AFFINES["oblique"])
    image.set_qform(AFFINES["RAS"], code="scanner")
    image.set_sform(AFFINES["oblique"], code="mni")
    image.header.set_xyzt_units("micron", "sec")
    image.header["descrip"] = b"scanner 7"
    image.header["cal_max"] = 900
    image.header.set_dim_info(freq=1, phase=0, slice=2)
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"a note"))
    image.to_filename(tmp_path / "t1.nii")
    before = nib.load(tmp_path / "t1.nii").header
    volume = read_nifti(tmp_path / "t1.nii")

    after = write_back(tmp_path / "mask.nii", volume, volume.data == 7).header

    changed = {key for key in before if before[key].tobytes() != after[key].tobytes()}
    assert changed <= {
        "datatype",
        "bitpix",
        "intent_code",
        "cal_max",
        "scl_slope",
        "scl_inter",
    }
    assert after["cal_max"] == 0
    assert after.get_intent()[0] == "label"
    assert [e.get_content() for e in after.extensions] == [b"a note"]
    assert volume.units == ("um", "um", "um")


@pytest.mark.parametrize("endian", ["<", ">"])
def test_byte_order_of_the_file_does_not_matter(tmp_path, endian):
    header = nib.Nifti1Header(endianness=endian)
    header.set_data_dtype(np.int16)
    image = nib.Nifti1Image(marked(), AFFINES["ASL"], header)
    image.to_filename(tmp_path / "t1.nii")
    assert nib.load(tmp_path / "t1.nii").header.endianness == endian

    volume = read_nifti(tmp_path / "t1.nii")
    mask = write_back(tmp_path / "mask.nii", volume, volume.data == 7)

    assert volume.data.dtype.isnative
    assert mask.header.endianness == endian
    np.testing.assert_array_equal(np.argwhere(mask.dataobj), [MARKER])


def test_nifti_2_stays_nifti_2(tmp_path):
    source = save(tmp_path / "t1.nii.gz", marked(), OBLIQUE, nib.Nifti2Image)
    volume = read_nifti(source)

    mask = write_back(tmp_path / "mask.nii.gz", volume, volume.data == 7)

    assert isinstance(mask, nib.Nifti2Image)
    np.testing.assert_array_equal(mask.affine, OBLIQUE)


def test_scaled_integers_become_float32_and_their_mask_is_not_scaled(tmp_path):
    image = nib.Nifti1Image(marked(), np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    image.to_filename(tmp_path / "t1.nii")
    stored = nib.load(tmp_path / "t1.nii")
    assert (stored.dataobj.slope, stored.dataobj.inter) == (0.5, 10)

    volume = read_nifti(tmp_path / "t1.nii")
    mask = write_back(tmp_path / "mask.nii", volume, (volume.data > 13) * 300)

    assert volume.data.dtype == np.float32
    np.testing.assert_array_equal(np.unique(volume.data), [10, 13.5])
    np.testing.assert_array_equal(np.unique(mask.dataobj), [0, 300])
    assert mask.get_data_dtype() == np.uint16
    assert (mask.dataobj.slope, mask.dataobj.inter) == (1, 0)


def test_reopened_mask_is_labels_and_can_be_written_again(tmp_path):
    volume = read_nifti(save(tmp_path / "t1.nii", marked(), AFFINES["PIR"]))
    labels = np.zeros(volume.data.shape, np.int64)
    labels[0, 1, 2] = 70_000
    write_back(tmp_path / "result.nii.gz", volume, labels)

    again = read_nifti(tmp_path / "result.nii.gz")
    written = write_back(tmp_path / "result.nii.gz", again, again.data)

    assert again.kind == "labels"
    assert again.data.flags.writeable
    np.testing.assert_array_equal(again.data, labels)
    np.testing.assert_array_equal(
        again.grid.to_display(np.asarray(written.dataobj)), labels
    )
    assert written.get_data_dtype() == np.int32


@pytest.mark.parametrize(
    ("name", "dtype", "kind"),
    [
        ("sub-01_dseg.nii.gz", np.uint8, "labels"),
        ("brain_mask.nii", np.int16, "labels"),
        ("Liver-Label.NII.GZ", np.uint8, "labels"),
        ("mask.nii", np.uint8, "labels"),
        ("brain_mask.nii", np.float32, "image"),
        ("unmasked.nii", np.uint8, "image"),
        ("mask_t1.nii", np.uint8, "image"),
    ],
)
def test_names_and_types_that_mean_labels(tmp_path, name, dtype, kind):
    assert read_nifti(save(tmp_path / name, marked(dtype))).kind == kind


def test_unknown_orientation_is_only_transposed(tmp_path):
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_zooms((5, 6, 50))
    header.set_xyzt_units("micron")
    header.set_data_dtype(np.int16)
    nib.Nifti1Image(marked(), None, header).to_filename(tmp_path / "em.nii")

    volume = read_nifti(tmp_path / "em.nii")
    mask = write_back(tmp_path / "mask.nii", volume, volume.data == 7)

    assert np.argwhere(volume.data).tolist() == [list(MARKER[::-1])]
    assert volume.scale == (50, 6, 5)
    np.testing.assert_array_equal(np.argwhere(mask.dataobj), [MARKER])
    assert mask.header["sform_code"] == mask.header["qform_code"] == 0


def test_an_affine_without_volume_is_only_transposed(tmp_path):
    image = nib.Nifti1Image(marked(), None, nib.Nifti1Header())
    image.header["sform_code"] = 1
    image.header["srow_x"][0] = image.header["srow_y"][1] = -1
    image.to_filename(tmp_path / "flat.nii")

    volume = read_nifti(tmp_path / "flat.nii")

    assert np.argwhere(volume.data).tolist() == [list(MARKER[::-1])]


def test_missing_or_odd_voxel_sizes_do_not_stop_the_display(tmp_path):
    image = nib.Nifti1Image(marked(), np.eye(4))
    image.header["pixdim"][1:4] = 0, np.nan, -2.5
    image.header["xyzt_units"] = 7  # no unit of length has this code
    image.to_filename(tmp_path / "t1.nii")

    volume = read_nifti(tmp_path / "t1.nii")

    assert volume.scale == (2.5, 1, 1)
    assert volume.units == ("mm", "mm", "mm")


def test_single_slices_have_three_axes(tmp_path):
    voxels = np.arange(30, dtype=np.int16).reshape(5, 6)
    volume = read_nifti(save(tmp_path / "slice.nii", voxels))

    mask = write_back(tmp_path / "mask.nii", volume, volume.data > 20)

    assert volume.data.shape == (1, 6, 5)
    np.testing.assert_array_equal(np.asarray(mask.dataobj), voxels > 20)


def test_colours_come_last(tmp_path):
    rgb = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    voxels = np.zeros(SHAPE, rgb)
    voxels[MARKER] = (10, 20, 30)
    volume = read_nifti(save(tmp_path / "stain.nii", voxels))

    mask = write_back(tmp_path / "mask.nii", volume, volume.data[..., 1] == 20)

    assert volume.is_rgb
    assert volume.data.shape == (7, 6, 5, 3)
    assert volume.data.max(axis=(0, 1, 2)).tolist() == [10, 20, 30]
    np.testing.assert_array_equal(np.argwhere(mask.dataobj), [MARKER])


@pytest.mark.parametrize(
    ("unit", "scale", "stored", "reread"),
    [
        ("mm", (3.0, 0.5, 0.25), (0.25, 0.5, 3.0), "mm"),
        ("nm", (50.0, 5.0, 4.0), (0.004, 0.005, 0.05), "um"),
        ("m", (0.003, 0.002, 0.001), (1, 2, 3), "mm"),
        ("pixel", (3.0, 2.0, 1.0), (1, 2, 3), "mm"),
    ],
)
def test_labels_without_a_grid_state_their_voxel_size(
    tmp_path, unit, scale, stored, reread
):
    labels = np.zeros((2, 3, 4), np.uint16)
    labels[1, 0, 3] = 5

    write_nifti(tmp_path / "mask.nii.gz", labels, scale=scale, units=(unit,) * 3)
    volume = read_nifti(tmp_path / "mask.nii.gz")

    np.testing.assert_array_equal(volume.data, labels)
    np.testing.assert_allclose(volume.grid.header.get_zooms(), stored, rtol=1e-6)
    assert volume.units == (reread,) * 3
    assert volume.scale == stored[::-1]


def test_series_and_planes_without_a_grid(tmp_path):
    plane, series = np.eye(4, dtype=np.uint8), np.ones((2, 3, 4, 5), np.uint8)

    write_nifti(tmp_path / "p.nii", plane, scale=(2, 1), units=("mm", "mm"))
    write_nifti(
        tmp_path / "s.nii", series, scale=(9, 3, 2, 1), units=("s", "mm", "mm", "mm")
    )

    np.testing.assert_array_equal(read_nifti(tmp_path / "p.nii").data, plane[None])
    assert read_nifti(tmp_path / "s.nii").scale == (9, 3, 2, 1)
    assert read_nifti(tmp_path / "s.nii").units == ("s", "mm", "mm", "mm")


def test_large_uncompressed_volumes_stay_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(nifti, "_IN_MEMORY_BYTES", 100)
    path = save(tmp_path / "labels.nii", marked(np.uint8), AFFINES["PIR"])
    before = path.read_bytes()

    volume = read_nifti(path)
    volume.data[:] = 3

    owner = volume.data
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(owner, mmap.mmap)
    assert volume.data.max() == 3
    assert path.read_bytes() == before


@pytest.mark.parametrize("shape", [(7, 6, 4), (6, 5), (2, 7, 6, 5)])
def test_labels_of_another_image_are_refused(tmp_path, shape):
    volume = read_nifti(save(tmp_path / "t1.nii", marked()))

    with pytest.raises(ValueError, match=r"expected that of their image, \(7, 6, 5\)"):
        write_back(tmp_path / "mask.nii", volume, np.zeros(shape, np.uint8))

    assert not (tmp_path / "mask.nii").exists()


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.full((2, 2), 2**40), ValueError, "labels go from 1099511627776 to"),
        (np.zeros((2, 2)), TypeError, "labels have dtype float64; expected integers"),
        (np.zeros((0, 2), int), ValueError, r"labels have shape \(0, 2\)"),
    ],
)
def test_labels_that_cannot_be_written_are_named(tmp_path, labels, error, message):
    with pytest.raises(error, match=message):
        write_nifti(tmp_path / "m.nii", labels, scale=(1, 1), units=("mm", "mm"))


def test_a_failed_write_leaves_the_old_mask(tmp_path, monkeypatch):
    volume = read_nifti(save(tmp_path / "t1.nii", marked()))
    write_back(tmp_path / "mask.nii", volume, volume.data == 7)
    before = (tmp_path / "mask.nii").read_bytes()

    def full_disk(self, path):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib.Nifti1Image, "to_filename", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_back(tmp_path / "mask.nii", volume, volume.data == 0)

    assert (tmp_path / "mask.nii").read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"t1.nii", "mask.nii"}


@pytest.mark.parametrize(
    ("field", "values", "reason"),
    [
        ("dim", [3, -5, 6, 7, 1, 1, 1, 1], "it is broken .*positive"),
        ("dim", [3, 0, 6, 7, 1, 1, 1, 1], "it has no voxels"),
        ("dim", [3, 32767, 32767, 32767, 1, 1, 1, 1], "larger than the memory"),
        ("vox_offset", np.nan, "float NaN"),
        ("srow_x", np.nan, "affine has numbers that are not finite"),
    ],
)
def test_broken_headers_are_explained(tmp_path, field, values, reason):
    path = save(tmp_path / "t1.nii", marked())
    header = np.memmap(path, nib.nifti1.header_dtype, "r+", shape=())
    header[field] = values
    header.flush()

    with pytest.raises(
        ValueError, match=rf"t1\.nii cannot be read as NIfTI: .*{reason}"
    ):
        read_nifti(path)


def test_broken_files_are_named(tmp_path):
    whole = save(tmp_path / "t1.nii", marked()).read_bytes()
    (tmp_path / "text.nii").write_text("not an image")
    (tmp_path / "short.nii").write_bytes(whole[:400])
    (tmp_path / "short.nii.gz").write_bytes(gzip.compress(whole)[:-40])
    (tmp_path / "noise.nii.gz").write_bytes(b"\x1f\x8b" + whole)

    for name in ("text.nii", "short.nii", "short.nii.gz", "noise.nii.gz"):
        with pytest.raises(ValueError, match=rf"{name} cannot be read as NIfTI"):
            read_nifti(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"none\.nii"):
        read_nifti(tmp_path / "none.nii")
