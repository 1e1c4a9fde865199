"""COCO+LVIS and SBD, in made-up folders of their exact layouts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from skimage import io

from napari_simpleclick.training.coco_lvis import CocoLvisSlices
from napari_simpleclick.training.sbd import SbdSlices

HEIGHT, WIDTH = 60, 80


def box(top: int, left: int, bottom: int, right: int) -> list[list[float]]:
    """Polygon of a box of pixels, second corner excluded."""
    corners = [left, top, right, top, right, bottom, left, bottom]
    return [[float(number) for number in corners]]


def runs(mask: np.ndarray) -> dict[str, object]:
    line = np.concatenate([[False], mask.ravel(order="F"), [True]])
    ends = np.flatnonzero(line[1:] != line[:-1])
    counts = np.diff(np.concatenate([[0], ends, [mask.size]]))
    return {"counts": counts[counts.cumsum() <= mask.size].tolist(), "size": [60, 80]}


def write_photograph(path: Path, red: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 0] = red
    io.imsave(path, image, check_contrast=False)


def write_json(path: Path, images: list[object], annotations: list[object]) -> None:
    path.parent.mkdir(exist_ok=True)
    content = {"images": images, "annotations": annotations, "categories": []}
    path.write_text(json.dumps(content))


def annotation(image: int, segmentation: object, **more: int) -> dict[str, object]:
    entry = {"image_id": image, "category_id": 1, "segmentation": segmentation}
    return entry | more


def write_coco_lvis(root: Path) -> None:
    """Photograph 9 in train2017, 12 in val2017, 15 without objects."""
    write_photograph(root / "train2017" / "000000000009.jpg", 90)
    write_photograph(root / "val2017" / "000000000012.jpg", 240)
    url = "http://images.cocodataset.org/{}/{:012d}.jpg"
    folders = {9: "train2017", 12: "val2017", 15: "train2017"}
    images = [{"id": i, "coco_url": url.format(f, i)} for i, f in folders.items()]
    lvis = [
        annotation(9, box(10, 10, 30, 40)),
        annotation(9, box(15, 15, 20, 25)),  # in the first
        annotation(12, box(0, 0, 30, 30)),
    ]
    write_json(root / "annotations" / "lvis_v1_train.json", images, lvis)
    other = np.zeros((HEIGHT, WIDTH), bool)
    other[40:50, 50:70] = True
    coco = [
        annotation(9, box(10, 10, 30, 39)),  # LVIS has it
        annotation(9, runs(other), iscrowd=0),
        annotation(9, runs(~other), iscrowd=1),
    ]
    write_json(root / "annotations" / "instances_train2017.json", images, coco)


def areas(labels: np.ndarray) -> list[int]:
    return sorted(np.bincount(labels.ravel())[1:].tolist())


def test_objects_of_lvis_and_coco_come_together(tmp_path: Path) -> None:
    write_coco_lvis(tmp_path)
    slices = CocoLvisSlices(tmp_path)
    rng = np.random.default_rng(0)
    seen: dict[float, set[tuple[int, ...]]] = {}
    for _ in range(40):
        image, labels = slices.draw(rng)
        assert image.shape == labels.shape == (HEIGHT, WIDTH)
        assert image.dtype == np.float32
        grey = round(float(image.mean()) * 255 * 3)
        seen.setdefault(grey, set()).add(tuple(areas(labels)))
    assert len(seen) == 2  # 15 is never drawn
    dark, bright = sorted(seen)
    assert (dark, bright) == pytest.approx((90, 240), abs=6)
    # The smaller box on top of the larger one, or, drawn last, the larger one alone.
    assert seen[dark] == {(50, 200, 550), (0, 200, 600)}
    assert seen[bright] == {(900,)}


def test_cocos_own_annotations_may_be_missing(tmp_path: Path) -> None:
    write_coco_lvis(tmp_path)
    (tmp_path / "annotations" / "instances_train2017.json").unlink()
    photograph = CocoLvisSlices(tmp_path).photographs[0]
    assert len(photograph.objects((HEIGHT, WIDTH))) == 2


def test_one_seed_gives_one_slice(tmp_path: Path) -> None:
    write_coco_lvis(tmp_path)
    slices = CocoLvisSlices(tmp_path)
    draws = [slices.draw(np.random.default_rng(5)) for _ in range(2)]
    assert all(np.array_equal(*pair) for pair in zip(*draws, strict=True))


def test_odd_coco_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"lvis_v1_train\.json; expected train"):
        CocoLvisSlices(tmp_path)
    write_coco_lvis(tmp_path)
    path = tmp_path / "annotations" / "lvis_v1_train.json"
    whole = json.loads(path.read_text())
    path.write_text("{")
    with pytest.raises(ValueError, match="is no JSON file"):
        CocoLvisSlices(tmp_path)
    path.write_text('{"images": []}')
    with pytest.raises(ValueError, match='expected "images" and "annotations"'):
        CocoLvisSlices(tmp_path)
    del whole["images"][0]["coco_url"]
    path.write_text(json.dumps(whole))
    with pytest.raises(ValueError, match='expected "coco_url" in every image'):
        CocoLvisSlices(tmp_path)
    write_coco_lvis(tmp_path)
    (tmp_path / "train2017" / "000000000009.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"no image .*train2017.*expected"):
        CocoLvisSlices(tmp_path)


def test_a_mask_of_another_size_names_its_image(tmp_path: Path) -> None:
    write_coco_lvis(tmp_path)
    write_json(
        tmp_path / "annotations" / "instances_train2017.json",
        [],
        [annotation(9, {"counts": [4], "size": [2, 2]})],
    )
    photograph = CocoLvisSlices(tmp_path).photographs[0]
    with pytest.raises(ValueError, match=r"000000000009\.jpg: segmentation: size"):
        photograph.objects((HEIGHT, WIDTH))


def write_sbd(root: Path) -> None:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[5:25, 5:45] = 1
    labels[30:50, 10:30] = 2
    labels[30, 40:70] = labels[55, 40:70] = 3  # two lines: fills 8 % of its box
    for stem in ("2008_000002", "2008_000003"):
        write_photograph(root / "img" / f"{stem}.jpg", 120)
        (root / "inst").mkdir(exist_ok=True)
        instances = {
            "Segmentation": labels,
            "Boundaries": [],
            "Categories": [9, 9, 9],
        }
        savemat(root / "inst" / f"{stem}.mat", {"GTinst": instances})
    (root / "train.txt").write_text("2008_000002\n")
    (root / "val.txt").write_text("2008_000003\n")


@pytest.mark.parametrize("folder", [".", "dataset"])
def test_sbd_gives_its_objects_but_the_faulty_ones(tmp_path: Path, folder: str) -> None:
    write_sbd(tmp_path / folder)
    slices = SbdSlices(tmp_path)
    assert slices.stems == ["2008_000002"]
    image, labels = slices.draw(np.random.default_rng(0))
    assert image.shape == labels.shape == (HEIGHT, WIDTH)
    assert image.mean() == pytest.approx(40 / 255, abs=0.01)
    assert np.bincount(labels.ravel())[1:].tolist() == [800, 400]
    assert SbdSlices(tmp_path, "val").stems == ["2008_000003"]


def test_odd_sbd_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"train\.txt; expected img/STEM"):
        SbdSlices(tmp_path)
    write_sbd(tmp_path)
    (tmp_path / "inst" / "2008_000002.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"2008_000002\.mat; expected"):
        SbdSlices(tmp_path)
    (tmp_path / "train.txt").write_text("\n")
    with pytest.raises(ValueError, match="names no image"):
        SbdSlices(tmp_path)


def test_an_image_of_another_size_is_refused(tmp_path: Path) -> None:
    write_sbd(tmp_path)
    image = np.zeros((10, 10, 3), np.uint8)
    io.imsave(tmp_path / "img" / "2008_000002.jpg", image, check_contrast=False)
    with pytest.raises(ValueError, match=r"\.mat: shape \(60, 80\), expected that of"):
        SbdSlices(tmp_path).draw(np.random.default_rng(0))
