import re
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import tifffile
from skimage import io

from napari_simpleclick.cli import main
from napari_simpleclick.training.own_data import read_own_data
from napari_simpleclick.training.packing import load_pack, pack


def write_slices(folder: Path, masks: str = "labels") -> None:
    for name in ("images", masks):
        (folder / name).mkdir(parents=True)
    image = np.arange(64 * 80, dtype=np.uint8).reshape(64, 80)
    labels = np.zeros((64, 80), np.uint16)
    labels[:10], labels[20:30] = 7, 900
    io.imsave(folder / "images" / "a.png", image, check_contrast=False)
    io.imsave(folder / masks / "a.png", labels, check_contrast=False)


def write_nifti(path: Path, volume: np.ndarray, zooms: tuple[float, ...]) -> None:
    nib.save(nib.Nifti1Image(volume, np.diag([*zooms, 1.0])), path)


@pytest.mark.parametrize("masks", ["labels", "masks"])
def test_slices_come_back_with_labels_renumbered(tmp_path: Path, masks: str) -> None:
    write_slices(tmp_path / "data" / "cells", masks)
    assert pack(tmp_path / "data", tmp_path / "pack.npz") == 1
    (volume,) = load_pack(tmp_path / "pack.npz")
    assert (volume.source, volume.axes) == ("cells", (0,))
    assert volume.image is not None
    assert volume.image.shape == volume.labels.shape == (1, 64, 80)
    assert volume.image[0, 1, 2] == 82
    assert volume.labels.dtype == np.uint8
    assert np.unique(volume.labels).tolist() == [0, 1, 2]
    assert volume.labels[0, 25, 0] == 2


def test_two_contrasts_share_labels_and_axes_are_z_y_x(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "brain"
    folder.mkdir(parents=True)
    labels = np.zeros((60, 50, 20), np.uint8)  # x, y, z
    labels[3, 2, 1] = 4
    write_nifti(folder / "p1_label.nii.gz", labels, (1, 1, 5))
    for contrast in ("T1", "FLAIR"):
        image = np.zeros(labels.shape, np.int16)
        image[3, 2, 1] = 1000
        write_nifti(folder / f"p1_{contrast}_image.nii.gz", image, (1, 1, 5))
    assert pack(tmp_path / "data", tmp_path / "pack.npz") == 2
    for volume in load_pack(tmp_path / "pack.npz"):
        assert volume.image is not None
        assert volume.labels.shape == (20, 50, 60)
        assert volume.labels.sum() == 1
        assert volume.image[volume.labels == 1] == 255
        assert volume.axes == (0,)  # the other slices are thick and narrow


def test_labels_that_are_stored_the_other_way_round_lie_on_their_image(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data" / "brain"
    folder.mkdir(parents=True)
    image = np.zeros((60, 50, 52), np.int16)
    image[3:20, 2:30, 1:10] = 1000
    write_nifti(folder / "p1_image.nii.gz", image, (1, 1, 1))
    flipped = np.diag([-1.0, -1.0, 1.0, 1.0])
    flipped[:2, 3] = 59, 49
    labels = (image > 0).astype(np.uint8)[::-1, ::-1]
    nib.save(nib.Nifti1Image(labels, flipped), folder / "p1_label.nii.gz")
    pack(tmp_path / "data", tmp_path / "pack.npz")
    (volume,) = load_pack(tmp_path / "pack.npz")
    assert volume.image is not None
    np.testing.assert_array_equal(volume.image > 0, volume.labels > 0)


def test_volumes_with_time_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "heart"
    folder.mkdir(parents=True)
    write_nifti(folder / "a_label.nii.gz", np.ones((50, 50, 9, 4), np.int16), (1, 1, 1))
    with pytest.raises(ValueError, match=r"a_label.*expected grey slices"):
        pack(tmp_path / "data", tmp_path / "pack.npz")


def test_probabilities_are_no_labels_but_scaled_integers_are(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "brain"
    folder.mkdir(parents=True)
    labels = np.ones((50, 50, 9), np.float32)
    write_nifti(folder / "a_label.nii.gz", 3 * labels, (1, 1, 1))
    assert pack(tmp_path / "data", tmp_path / "pack.npz") == 1
    write_nifti(folder / "b_label.nii.gz", 0.3 * labels, (1, 1, 1))
    with pytest.raises(TypeError, match=r"b_label\.nii\.gz: dtype float32, expected"):
        pack(tmp_path / "data", tmp_path / "pack.npz")


def test_what_systems_and_scanners_put_beside_is_passed_over(tmp_path: Path) -> None:
    slices, volumes = tmp_path / "data" / "cells", tmp_path / "data" / "brain"
    write_slices(slices)
    volumes.mkdir()
    for name in ("p[1]_image", "p[1]_label"):
        write_nifti(volumes / f"{name}.nii.gz", np.ones((50, 50, 9)), (1, 1, 1))
        (volumes / f"._{name}.nii.gz").write_bytes(b"Mac OS X")
        (volumes / f"{name}.json").write_text("{}")
    for folder in ("images", "labels"):
        (slices / folder / ".DS_Store").write_bytes(b"Mac OS X")
        (slices / folder / "._a.png").write_bytes(b"Mac OS X")
        (slices / folder / "read me.txt").write_text("by hand")
    (tmp_path / "data" / ".trash" / "labels").mkdir(parents=True)
    assert pack(tmp_path / "data", tmp_path / "pack.npz") == 2
    first, _ = load_pack(tmp_path / "pack.npz")
    assert first.image is not None
    assert len(read_own_data(slices)) == len(read_own_data(volumes)) == 1


def test_isotropic_volumes_are_sliced_along_every_axis(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "neurons"
    folder.mkdir(parents=True)
    volume = np.ones((50, 52, 54), np.uint8)
    tifffile.imwrite(folder / "s_image.tif", volume)
    tifffile.imwrite(folder / "s_label.tif", volume.astype(np.uint16))
    pack(tmp_path / "data", tmp_path / "pack.npz")
    assert load_pack(tmp_path / "pack.npz")[0].axes == (0, 1, 2)


def test_labels_without_image_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "maps"
    folder.mkdir(parents=True)
    write_nifti(folder / "m_label.nii.gz", np.ones((50, 50, 50), np.int16), (1, 1, 1))
    pack(tmp_path / "data", tmp_path / "pack.npz")
    assert load_pack(tmp_path / "pack.npz")[0].image is None


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.ones((40, 80), np.uint8), r"a\.png: shape \(40, 80\), expected"),
        (np.ones((64, 80, 3), np.uint8), r"a\.png: shape \(64, 80, 3\), expected"),
        (np.full((64, 80), 0.3, np.float32), r"a\.tif: dtype float32, expected int"),
    ],
)
def test_label_maps_that_do_not_fit_are_named(
    tmp_path: Path, labels: np.ndarray, message: str
) -> None:
    write_slices(tmp_path / "data" / "cells")
    file = tmp_path / "data" / "cells" / "labels" / "a.png"
    file.unlink()
    if labels.dtype.kind == "f":
        tifffile.imwrite(file.with_suffix(".tif"), labels)
    else:
        io.imsave(file, labels, check_contrast=False)
    with pytest.raises((TypeError, ValueError), match=message):
        pack(tmp_path / "data", tmp_path / "pack.npz")
    assert not (tmp_path / "pack.npz").exists()


@pytest.mark.parametrize("missing", ["images", "labels"])
def test_images_and_label_maps_come_together(tmp_path: Path, missing: str) -> None:
    write_slices(tmp_path / "data" / "cells")
    shutil.rmtree(tmp_path / "data" / "cells" / missing)
    with pytest.raises(FileNotFoundError, match=f"cells has no folder .*{missing}"):
        pack(tmp_path / "data", tmp_path / "pack.npz")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no labelled images"):
        pack(tmp_path, tmp_path / "pack.npz")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pack", "expected the name of a file, .npz"),
        ("pack.zip", "expected the name of a file, .npz"),
        ("folder.npz", "expected the name of a file, .npz"),
        ("nowhere/pack.npz", "there is no folder .*nowhere"),
    ],
)
def test_what_cannot_be_the_file_is_refused_before_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, expected: str
) -> None:
    write_slices(tmp_path / "data" / "cells")
    (tmp_path / "folder.npz").mkdir()
    before = sorted(tmp_path.rglob("*"))
    data, output = str(tmp_path / "data"), str(tmp_path / name)
    assert main(["pack", data, "--output", output]) == 1
    assert re.search(rf"output: \S*{name}, {expected}", capsys.readouterr().err)
    assert sorted(tmp_path.rglob("*")) == before


class Interrupted:
    """What is pressed Ctrl-C at, as it is written."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise KeyboardInterrupt


def test_an_interruption_leaves_the_older_pack_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_slices(tmp_path / "data" / "cells")
    (tmp_path / "pack.npz").write_bytes(b"older")
    write = np.savez_compressed
    monkeypatch.setattr(
        np,
        "savez_compressed",
        lambda file, **arrays: write(file, **arrays, last=Interrupted()),
    )
    with pytest.raises(KeyboardInterrupt):
        pack(tmp_path / "data", tmp_path / "pack.npz")
    assert (tmp_path / "pack.npz").read_bytes() == b"older"
    assert {path.name for path in tmp_path.iterdir()} == {"data", "pack.npz"}


@pytest.mark.parametrize("content", [b"no pack", b"PK\x03\x04 cut off", b""])
def test_other_files_are_no_packs(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pack.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"pack\.npz is no pack of training data"):
        load_pack(tmp_path / "pack.npz")


def test_other_arrays_are_no_packs(tmp_path: Path) -> None:
    np.savez(tmp_path / "pack.npz", labels=np.ones(3))
    with pytest.raises(ValueError, match=r"pack\.npz is no pack of training data"):
        load_pack(tmp_path / "pack.npz")
