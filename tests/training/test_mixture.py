from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import torch
from skimage import io

from napari_simpleclick.training.dataset import CanvasDataset
from napari_simpleclick.training.grey import to_grey
from napari_simpleclick.training.mixture import Mixture, Source, open_mixture
from napari_simpleclick.training.packing import pack

if TYPE_CHECKING:
    from napari_simpleclick.training.slices import Slice


class Flat:
    """Slices of one grey level, with one object."""

    def __init__(self, level: float) -> None:
        self.level = level

    def draw(self, rng: np.random.Generator) -> Slice:
        labels = np.zeros((64, 64), np.uint8)
        labels[16:48, 16:48] = 1
        return np.full((64, 64), self.level, np.float32), labels


def labels(shape: tuple[int, int] = (64, 80)) -> np.ndarray:
    found = np.zeros(shape, np.uint16)
    found[10:30, 10:40] = 900
    found[40:60, 30:70] = 70_00
    return found


def write_folder(root: Path, masks: str = "masks", *, colour: bool = False) -> Path:
    for name in ("images", masks):
        (root / name).mkdir(parents=True)
    image = np.zeros((64, 80, 3) if colour else (64, 80), np.uint8)
    image[...] = (30, 60, 120) if colour else 70
    io.imsave(root / "images" / "a.png", image, check_contrast=False)
    io.imsave(root / masks / "a.tif", labels(), check_contrast=False)
    return root


def write_volume(root: Path, *, image: bool = True) -> Path:
    root.mkdir(parents=True)
    volume = np.stack([labels()] * 5)
    tifffile.imwrite(root / "v_label.tif", volume)
    if image:
        tifffile.imwrite(root / "v_image.tif", np.full(volume.shape, 51, np.uint8))
    return root


def drawn(source: Source) -> Slice:
    return open_mixture([source]).draw(np.random.default_rng(0))


def test_sources_are_drawn_by_their_weights() -> None:
    mixture = Mixture([Flat(0.2), Flat(0.8)], [1, 3])
    rng = np.random.default_rng(0)
    levels = [mixture.draw(rng)[0][0, 0] for _ in range(2000)]
    assert np.mean(np.array(levels) > 0.5) == pytest.approx(0.75, abs=0.03)


def test_a_canvas_is_always_the_same() -> None:
    mixture = Mixture([Flat(0.2), Flat(0.8)], [1, 1])
    dataset = CanvasDataset(size=48, seed=3, source=mixture)
    again = CanvasDataset(size=48, seed=3, source=mixture)
    for number in (7, 0, 7):
        for one, other in zip(dataset[number], again[number], strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("masks", ["masks", "labels"])
def test_a_folder_gives_grey_images_and_small_labels(
    tmp_path: Path, masks: str
) -> None:
    path = write_folder(tmp_path / "cells", masks, colour=True)
    image, found = drawn(Source("folder", path))
    assert image.dtype == np.float32
    assert np.unique(image) == pytest.approx(70 / 255)
    assert np.bincount(found.ravel()).tolist() == [64 * 80 - 1400, 600, 800]


def test_volumes_packs_and_painted_maps(tmp_path: Path) -> None:
    with_image = write_volume(tmp_path / "a" / "with")
    write_volume(tmp_path / "b" / "without", image=False)
    for name in ("a", "b"):
        pack(tmp_path / name, tmp_path / f"{name}.npz")
    for source in (Source("volumes", with_image), Source("pack", tmp_path / "a.npz")):
        image, found = drawn(source)
        assert np.unique(image) == pytest.approx(51 / 255)
        assert found.max() == 2
    image, found = drawn(Source("painted", tmp_path / "b.npz"))
    assert len(np.unique(image)) > 2
    assert found.max() == 2
    with pytest.raises(ValueError, match="expected kind = 'painted'"):
        drawn(Source("pack", tmp_path / "b.npz"))
    with pytest.raises(ValueError, match="expected kind = 'pack'"):
        drawn(Source("painted", tmp_path / "a.npz"))


def test_synthetic_slices_need_no_path() -> None:
    image, found = drawn(Source("synthetic"))
    assert image.shape == found.shape


def test_odd_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder images; expected images/"):
        drawn(Source("folder", tmp_path))
    path = write_folder(tmp_path / "cells")
    image = np.zeros((9, 9), np.uint8)
    io.imsave(path / "images" / "b.png", image, check_contrast=False)
    with pytest.raises(ValueError, match=r"of which \['b'\] have no label map"):
        drawn(Source("folder", path))
    (path / "images" / "b.png").unlink()
    io.imsave(path / "images" / "a.png", image, check_contrast=False)
    with pytest.raises(ValueError, match=r"a\.tif: shape \(64, 80\), expected"):
        drawn(Source("folder", path))
    io.imsave(path / "images" / "a.bmp", image, check_contrast=False)
    with pytest.raises(ValueError, match=r"a\.bmp and .*a\.png have the same stem"):
        drawn(Source("folder", path))
    with pytest.raises(ValueError, match="no labelled volume; expected pairs"):
        drawn(Source("volumes", path))
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        drawn(Source("sbd", tmp_path / "nowhere"))


def test_volumes_of_two_shapes_are_refused(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "v")
    tifffile.imwrite(path / "v_image.tif", np.zeros((5, 9, 9), np.uint8))
    with pytest.raises(ValueError, match=r"shape \(5, 9, 9\), expected that of v_lab"):
        drawn(Source("volumes", path))


def test_sources_are_read_from_tables(tmp_path: Path) -> None:
    found = Source.from_dict({"kind": "sbd", "path": "x", "weight": 2}, tmp_path)
    assert found == Source("sbd", tmp_path / "x", 2.0)
    assert Source.from_dict({"kind": "synthetic"}) == Source("synthetic")
    with pytest.raises(ValueError, match="expected kind, path and weight"):
        Source.from_dict({"kind": "sbd", "folder": "x"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "coco"}, "expected one of synthetic, pack"),
        ({"kind": "sbd"}, "expected a path for sbd"),
        ({"kind": "synthetic", "path": "x"}, "expected no path for synthetic"),
        ({"kind": "synthetic", "weight": 0}, "expected a number above 0"),
        ({"kind": "synthetic", "weight": float("nan")}, "expected a number above 0"),
    ],
)
def test_sources_that_do_not_fit_are_refused(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Source.from_dict(values)


def test_mixtures_need_sources_with_weights() -> None:
    with pytest.raises(ValueError, match="at least one"):
        open_mixture([])
    with pytest.raises(ValueError, match="for each of 1 sources"):
        Mixture([Flat(1)], [1, 2])


def test_a_source_without_objects_is_given_up() -> None:
    class Empty(Flat):
        def draw(self, rng: np.random.Generator) -> Slice:
            return np.zeros((9, 9), np.float32), np.zeros((9, 9), np.uint8)

    with pytest.raises(ValueError, match="no object large enough"):
        CanvasDataset(source=Empty(0))[0]


def test_volumes_and_a_source_are_too_much() -> None:
    with pytest.raises(ValueError, match="expected None, as volumes are given"):
        CanvasDataset([object()], source=Flat(0))  # type: ignore[list-item]


def test_colours_become_grey_by_their_mean() -> None:
    image = np.array([[[10, 20, 60, 255], [0, 0, 1, 0]]], np.uint8)
    assert to_grey(image).tolist() == [[30, 0]]
    assert to_grey(image).dtype == np.uint8
    halved = to_grey(image[..., :3].astype(np.float32) / 2)
    assert halved.tolist() == [pytest.approx([15.0, 1 / 6])]
    grey = np.zeros((3, 4), np.uint16)
    assert to_grey(grey) is grey
    with pytest.raises(ValueError, match=r"expected \(H, W\), \(H, W, 3\)"):
        to_grey(np.zeros((3, 4, 2)))


def test_regions_of_a_pack_are_what_its_images_show(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "set"
    folder.mkdir(parents=True)
    shown = np.full((64, 80), 30, np.uint8)
    shown[20:44, 20:50] = 200
    tifffile.imwrite(folder / "v_image.tif", np.stack([shown] * 5))
    tifffile.imwrite(folder / "v_label.tif", np.stack([labels()] * 5))
    pack(tmp_path / "data", tmp_path / "a.npz")
    _, found = drawn(Source("regions", tmp_path / "a.npz"))
    np.testing.assert_array_equal(found[5:-5, 5:-5] > 0, shown[5:-5, 5:-5] > 100)
