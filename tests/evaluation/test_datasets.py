from itertools import islice

import numpy as np
import pytest
import tifffile
from skimage.io import imsave

from napari_simpleclick.evaluation.datasets import folder


@pytest.fixture
def write(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()

    def write(name, array):
        if name.endswith(".tif"):
            tifffile.imwrite(tmp_path / name, array)
        else:
            imsave(tmp_path / name, array, check_contrast=False)

    return write


def labels(*values: int) -> np.ndarray:
    array = np.zeros((4, 6), dtype=np.uint16)
    array[0, : len(values)] = values
    return array


def grey(level: int = 7) -> np.ndarray:
    return np.full((4, 6), level, dtype=np.uint8)


def test_every_label_is_an_object(tmp_path, write):
    write("images/b.png", grey(7))
    write("masks/b.png", labels(300, 2, 300))
    write("images/a.png", grey(9))
    write("masks/a.tif", labels(1))
    (tmp_path / "images" / "notes.txt").write_text("no image")
    (tmp_path / "images" / ".b.png").write_text("no image")
    samples = list(folder(tmp_path))
    assert [s.name for s in samples] == ["a/1", "b/2", "b/300"]
    np.testing.assert_array_equal(samples[1].image, grey(7))
    assert samples[2].mask.dtype == bool
    np.testing.assert_array_equal(np.argwhere(samples[2].mask), [[0, 0], [0, 2]])


def test_images_of_other_types_become_uint8(tmp_path, write):
    ramp = np.arange(24).reshape(4, 6)
    arrays = {
        "colour.png": np.dstack([grey(1), grey(2), grey(3)]),
        "alpha.png": np.dstack([grey(1), grey(2), grey(3), grey(4)]),
        "deep.png": (1000 + ramp).astype(np.uint16),
        "float.tif": ramp.astype(np.float32) / 1000,
    }
    for name, array in arrays.items():
        write(f"images/{name}", array)
        write(f"masks/{name}", labels(1))
    images = {s.name: s.image for s in folder(tmp_path)}
    assert {image.dtype for image in images.values()} == {np.dtype(np.uint8)}
    np.testing.assert_array_equal(images["colour/1"], arrays["colour.png"])
    np.testing.assert_array_equal(images["alpha/1"], arrays["colour.png"])
    for name in ("deep/1", "float/1"):
        assert (images[name][0, 0], images[name][-1, -1]) == (0, 255)


def test_empty_masks_give_no_sample(tmp_path, write):
    write("images/a.png", grey())
    write("masks/a.png", labels())
    assert list(folder(tmp_path)) == []


def test_files_are_read_as_they_are_reached(tmp_path, write):
    for stem in "ab":
        write(f"images/{stem}.png", grey())
        write(f"masks/{stem}.png", labels(1))
    (tmp_path / "images" / "b.png").write_bytes(b"broken")
    assert [s.name for s in islice(folder(tmp_path), 1)] == ["a/1"]


def test_stems_must_match(tmp_path, write):
    with pytest.raises(ValueError, match="0 images, 0 masks"):
        folder(tmp_path)
    write("images/a.png", grey())
    with pytest.raises(ValueError, match=r"1 images, 0 masks, unmatched stems \['a'\]"):
        folder(tmp_path)
    write("images/a.tif", grey())
    with pytest.raises(ValueError, match="same stem"):
        folder(tmp_path)


def test_missing_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match="images"):
        folder(tmp_path)


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (labels(1).T, ValueError, r"a\.tif: shape \(6, 4\), expected \(4, 6\)"),
        (np.dstack([grey()] * 3), ValueError, r"a\.tif: shape \(4, 6, 3\)"),
        (labels(1).astype(np.float32), TypeError, r"a\.tif: dtype float32"),
    ],
)
def test_other_masks_are_refused(tmp_path, write, mask, error, message):
    write("images/a.png", grey())
    write("masks/a.tif", mask)
    with pytest.raises(error, match=message):
        list(folder(tmp_path))


def test_images_that_are_none_are_named(tmp_path, write):
    write("images/a.tif", np.zeros((5, 4, 6), np.uint8))
    write("masks/a.png", grey())
    with pytest.raises(ValueError, match=r"a\.tif: image has shape \(5, 4, 6\)"):
        list(folder(tmp_path))
