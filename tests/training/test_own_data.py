from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import io

from napari_simpleclick.training.labelled_volume import LabelledVolume
from napari_simpleclick.training.own_data import objects, read_own_data, split


def write_images(folder: Path, count: int, masks: str = "masks") -> None:
    for name in ("images", masks):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        labels = np.zeros((40, 50), np.uint8)
        labels[5:20, 5:25] = 1
        labels[25:35, 30:45] = number + 2
        grey = np.full((40, 50, 3), 10 * number, np.uint8)
        io.imsave(folder / "images" / f"{number:02}.png", grey, check_contrast=False)
        io.imsave(folder / masks / f"{number:02}.png", labels, check_contrast=False)


def a_volume(slices: int = 40, seed: int = 0) -> LabelledVolume:
    labels = np.zeros((slices, 60, 60), np.uint8)
    labels[:, 10:30, 10:30] = 1
    labels[:, 40:50, 40 : 50 + seed] = 2
    image = np.arange(slices, dtype=np.uint8)[:, None, None] + np.zeros_like(labels)
    return LabelledVolume("mine", image, labels, (0, 1))


@pytest.mark.parametrize("masks", ["masks", "labels"])
def test_images_and_their_masks_are_read(tmp_path: Path, masks: str) -> None:
    write_images(tmp_path / "mine", 3, masks)
    volumes = read_own_data(tmp_path / "mine")
    assert [volume.source for volume in volumes] == ["mine"] * 3
    assert volumes[2].image is not None
    assert volumes[2].image.shape == volumes[2].labels.shape == (1, 40, 50)
    assert int(volumes[2].image[0, 0, 0]) == 20
    assert np.unique(volumes[2].labels).tolist() == [0, 1, 2]


def test_masks_with_a_palette_are_read_by_index(tmp_path: Path) -> None:
    write_images(tmp_path / "mine", 1)
    file = tmp_path / "mine" / "masks" / "00.png"
    mask = Image.open(file).convert("P")
    mask.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    mask.save(file)
    (volume,) = read_own_data(tmp_path / "mine")
    assert np.unique(volume.labels).tolist() == [0, 1, 2]


def test_volumes_are_read(tmp_path: Path) -> None:
    volume = a_volume()
    tifffile.imwrite(tmp_path / "a_image.tif", volume.image)
    tifffile.imwrite(tmp_path / "a_label.tif", volume.labels)
    for name, data in (("image", volume.image), ("label", volume.labels)):
        nifti = nibabel.Nifti1Image(data.transpose(2, 1, 0), np.eye(4))
        nibabel.save(nifti, tmp_path / f"b_{name}.nii.gz")
    first, second = read_own_data(tmp_path)
    assert first.labels.shape == second.labels.shape == (40, 60, 60)


def test_a_folder_without_labelled_images_is_told_what_was_expected(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match=r"images/.*_label\.nii\.gz"):
        read_own_data(tmp_path)
    with pytest.raises(FileNotFoundError, match="images/"):
        read_own_data(tmp_path / "nowhere")


def test_one_image_in_five_is_held_out(tmp_path: Path) -> None:
    write_images(tmp_path / "mine", 12)
    parts = split(read_own_data(tmp_path / "mine"))
    assert (len(parts.learned), len(parts.held_out)) == (10, 2)
    shown = [int(v.image.max()) for v in parts.held_out]  # type: ignore[union-attr]
    assert shown == [20, 70]
    learned = {int(v.image.max()) for v in parts.learned}  # type: ignore[union-attr]
    assert not learned & set(shown)


def test_few_images_are_all_learned_from(tmp_path: Path) -> None:
    write_images(tmp_path / "mine", 3)
    parts = split(read_own_data(tmp_path / "mine"))
    assert (len(parts.learned), parts.held_out) == (3, ())


def test_of_one_volume_the_last_slices_are_held_out_beyond_a_gap() -> None:
    parts = split([a_volume(40)])
    (learned,), (held_out,) = parts.learned, parts.held_out
    assert learned.image is not None
    assert held_out.image is not None
    assert (learned.image.min(), learned.image.max()) == (0, 29)
    assert (held_out.image.min(), held_out.image.max()) == (32, 39)
    assert learned.axes == (0,)  # along another axis it would see the held-out slices


def test_images_are_held_out_of_those_with_objects(tmp_path: Path) -> None:
    write_images(tmp_path / "mine", 12)
    for number in (2, 3, 7):
        mask = np.zeros((40, 50), np.uint8)
        mask[:7, :9] = 1  # 63 pixels
        file = tmp_path / "mine" / "masks" / f"{number:02}.png"
        io.imsave(file, mask, check_contrast=False)
    parts = split(read_own_data(tmp_path / "mine"))
    shown = [int(v.image.max()) for v in parts.held_out]  # type: ignore[union-attr]
    assert shown == [40, 100]
    assert len(parts.learned) == 10
    assert len(objects(parts.held_out, 10)) == 4


def test_slices_are_held_out_of_those_with_objects() -> None:
    volume = a_volume(40)
    volume.labels[[*range(5), *range(6, 40, 2)]] = 0
    volume.labels[30:] = 0
    parts = split([volume])
    (learned,), (held_out,) = parts.learned, parts.held_out
    assert learned.image is not None
    assert held_out.image is not None
    assert learned.image.max() == 24
    assert (held_out.image.min(), held_out.image.max()) == (27, 29)
    names = [sample.name for sample in objects(parts.held_out, 10)]
    assert names == ["mine/0/1", "mine/0/2", "mine/2/1", "mine/2/2"]


def test_where_few_slices_have_objects_all_are_learned_from() -> None:
    volume = a_volume(40)
    volume.labels[4:] = 0
    assert split([volume, volume]).held_out == ()
    assert len(split([volume, volume]).learned) == 2


@pytest.mark.parametrize("pixels", [0, 23])
def test_masks_without_an_object_are_refused(tmp_path: Path, pixels: int) -> None:
    write_images(tmp_path / "mine", 2)
    mask = np.zeros((40, 50), np.uint8)
    mask[0, :pixels] = 1
    for file in (tmp_path / "mine" / "masks").iterdir():
        io.imsave(file, mask, check_contrast=False)
    with pytest.raises(ValueError, match=r"mine holds no object .* at least 24 pixels"):
        read_own_data(tmp_path / "mine")


def test_contrasts_that_share_labels_stay_together() -> None:
    patients = (0, 0, 1, 2, 2, 3)
    parts = split([a_volume(seed=patient) for patient in patients])
    widths = [int((v.labels[0] == 2).sum(axis=1).max()) for v in parts.held_out]
    assert widths == [12, 12]
    assert len(parts.learned) == 4


def test_objects_are_labels_of_slices_spread_over_all() -> None:
    volume = a_volume(40)
    chosen = objects([volume], 6)
    assert len(chosen) == 6
    assert chosen[0].name == "mine/0/1"
    assert chosen[-1].name == "mine/39/2"
    assert chosen[0].mask.sum() == 400
    assert len(objects([volume], 1000)) == 2 * 30
