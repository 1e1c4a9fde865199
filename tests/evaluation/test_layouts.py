"""Every public layout, read from tiny folders of the same shape."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy.io import savemat

from napari_simpleclick.evaluation.datasets import DATASETS, open_dataset
from napari_simpleclick.evaluation.layouts import LAYOUTS

GREY = np.arange(24, dtype=np.uint8).reshape(4, 6)


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tif":
        tifffile.imwrite(path, array)
    elif path.suffix == ".mat":
        savemat(path, {"GTinst": {"Segmentation": array, "Categories": [[1]]}})
    else:
        Image.fromarray(array).save(path, **options)


def mask(**pixels):
    """A mask (4, 6), uint8: r0="0 255" gives the first values of row 0."""
    array = np.zeros((4, 6), np.uint8)
    for row, values in pixels.items():
        numbers = [int(value) for value in values.split()]
        array[int(row[1:]), : len(numbers)] = numbers
    return array


def read(name, root):
    return {sample.name: sample for sample in open_dataset(name, root)}


def pixels(sample):
    return [tuple(pixel) for pixel in np.argwhere(sample.mask).tolist()]


def test_sstem_takes_4_connected_components(tmp_path):
    save(tmp_path / "raw" / "00.tif", GREY)
    save(tmp_path / "mitochondria" / "00.png", mask(r0="255 255", r1="0 0 255"))
    samples = read("ssTEM", tmp_path)
    assert list(samples) == ["00/1", "00/2"]
    assert pixels(samples["00/1"]) == [(0, 0), (0, 1)]
    assert pixels(samples["00/2"]) == [(1, 2)]
    np.testing.assert_array_equal(samples["00/1"].image, GREY)


def test_brats_merges_all_labels(tmp_path):
    save(tmp_path / "image" / "a_75.png", GREY)
    save(tmp_path / "annotation" / "a_75.png", mask(r0="1 2", r3="4"))
    (sample,) = read("BraTS", tmp_path).values()
    assert pixels(sample) == [(0, 0), (0, 1), (3, 0)]


def test_oaizib_takes_each_label(tmp_path):
    save(tmp_path / "test" / "image" / "a.png", GREY)
    save(tmp_path / "test" / "annotations" / "a.png", mask(r0="2 4 2"))
    samples = read("OAIZIB", tmp_path)
    assert {name: pixels(s) for name, s in samples.items()} == {
        "a/2": [(0, 0), (0, 2)],
        "a/4": [(0, 1)],
    }


@pytest.mark.parametrize(
    ("name", "images", "masks"),
    [("GrabCut", "data_GT", "boundary_GT"), ("Berkeley", "images", "masks")],
)
def test_uncertain_outlines_do_not_count(tmp_path, name, images, masks):
    save(tmp_path / images / "a.bmp", np.dstack([GREY] * 3))
    save(tmp_path / masks / "a.bmp", mask(r0="255 128 64 1"))
    (sample,) = read(name, tmp_path).values()
    assert pixels(sample) == [(0, 0), (0, 3)]
    assert np.argwhere(sample.ignored).tolist() == [[0, 1]]
    assert sample.image.shape == (4, 6, 3)


def test_davis_takes_whatever_is_not_black(tmp_path):
    save(tmp_path / "img" / "a.jpg", GREY)
    colour = np.zeros((4, 6, 3), np.uint8)
    colour[0, 0, 2] = colour[1, 1, 0] = 9
    save(tmp_path / "gt" / "a.png", colour)
    (sample,) = read("DAVIS", tmp_path).values()
    assert pixels(sample) == [(0, 0), (1, 1)]


def test_coco_mval_takes_the_bright_half(tmp_path):
    save(tmp_path / "img" / "a.jpg", GREY)
    save(tmp_path / "gt" / "a.png", mask(r0="255 128 129"))
    (sample,) = read("COCO_MVal", tmp_path).values()
    assert pixels(sample) == [(0, 0), (0, 2)]
    assert sample.ignored is None


def test_sbd_takes_the_instances_of_the_listed_images(tmp_path):
    for stem in "abc":
        save(tmp_path / "img" / f"{stem}.jpg", GREY)
        save(tmp_path / "inst" / f"{stem}.mat", mask(r0="1 2 2"))
    (tmp_path / "val.txt").write_text("c\na\n")
    samples = read("SBD", tmp_path)
    assert list(samples) == ["c/1", "c/2", "a/1", "a/2"]
    assert pixels(samples["a/2"]) == [(0, 1), (0, 2)]


def test_sbd_needs_instances(tmp_path):
    save(tmp_path / "img" / "a.jpg", GREY)
    (tmp_path / "inst").mkdir()
    savemat(tmp_path / "inst" / "a.mat", {"GTcls": 1})
    (tmp_path / "val.txt").write_text("a\n")
    with pytest.raises(ValueError, match=r"a\.mat: expected GTinst\.Segmentation"):
        read("SBD", tmp_path)


def test_pascal_voc_takes_palette_indices_within_borders(tmp_path):
    save(tmp_path / "JPEGImages" / "a.jpg", GREY)
    image = Image.fromarray(mask(r0="1 255 2 1")).convert("P")
    image.putpalette([(37 * i) % 256 for i in range(768)])
    (tmp_path / "SegmentationObject").mkdir()
    image.save(tmp_path / "SegmentationObject" / "a.png")
    (tmp_path / "ImageSets" / "Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Segmentation" / "val.txt").write_text("a\n")
    samples = read("PascalVOC", tmp_path)
    assert {name: pixels(s) for name, s in samples.items()} == {
        "a/1": [(0, 0), (0, 3)],
        "a/2": [(0, 2)],
    }
    assert np.argwhere(samples["a/1"].ignored).tolist() == [[0, 1]]


def test_masks_with_a_palette_are_read_by_index_where_labels_count(tmp_path):
    image = Image.fromarray(mask(r0="1 2 2")).convert("P")
    image.putpalette([0, 0, 0, 128, 0, 0, 200, 0, 0])
    for folder in ("images", "img"):
        save(tmp_path / folder / "a.png", GREY)
    for folder in ("masks", "gt"):
        (tmp_path / folder).mkdir()
        image.save(tmp_path / folder / "a.png")
    samples = read("folder", tmp_path)
    assert {name: pixels(s) for name, s in samples.items()} == {
        "a/1": [(0, 0)],
        "a/2": [(0, 1), (0, 2)],
    }
    (bright,) = read("COCO_MVal", tmp_path).values()
    assert pixels(bright) == [(0, 1), (0, 2)]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_missing_folder_is_named_with_what_was_expected(tmp_path, name):
    layout = LAYOUTS[name]
    with pytest.raises(FileNotFoundError) as raised:
        open_dataset(name, tmp_path)
    assert f"has no folder {layout.images}; expected" in str(raised.value)
    assert f"{layout.masks}/*" in str(raised.value)


def test_a_missing_listing_is_named(tmp_path):
    (tmp_path / "img").mkdir()
    (tmp_path / "inst").mkdir()
    with pytest.raises(FileNotFoundError, match=r"has no val\.txt; expected img/"):
        open_dataset("SBD", tmp_path)


def test_a_listed_image_must_be_there(tmp_path):
    (tmp_path / "inst").mkdir()
    save(tmp_path / "img" / "a.jpg", GREY)
    (tmp_path / "val.txt").write_text("a\n")
    with pytest.raises(ValueError, match=r"unmatched stems \['a'\], expected img/"):
        open_dataset("SBD", tmp_path)


def test_unknown_names_and_stray_arguments(tmp_path):
    with pytest.raises(ValueError, match="'sstem', expected one of folder, ssTEM"):
        open_dataset("sstem", tmp_path)
    with pytest.raises(ValueError, match=r"labels: .*only volume has it"):
        open_dataset("folder", tmp_path, labels=tmp_path)
    assert len(set(DATASETS)) == len(DATASETS)


def test_find_reads_only_what_it_needs(tmp_path):
    for stem in "ab":
        save(tmp_path / "images" / f"{stem}.png", GREY)
        save(tmp_path / "masks" / f"{stem}.png", mask(r0="1 2"))
    (tmp_path / "images" / "a.png").write_bytes(b"broken")
    dataset = open_dataset("folder", tmp_path)
    assert [sample.name for sample in dataset.find(["b/2", "no/1"])] == ["b/2"]


@pytest.mark.parametrize("broken", ["images", "masks"])
def test_a_broken_file_is_named(tmp_path, broken):
    save(tmp_path / "images" / "a.png", GREY)
    save(tmp_path / "masks" / "a.png", mask(r0="1 2"))
    file = tmp_path / broken / "a.png"
    file.write_bytes(file.read_bytes()[:45])
    with pytest.raises(ValueError, match=r"a\.png cannot be read, expected"):
        list(open_dataset("folder", tmp_path))
