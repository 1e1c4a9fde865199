"""The evaluate command from end to end, on a tiny network and a tiny data set."""

import csv
import json
import re

import numpy as np
import pytest
import tifffile
import torch
from skimage.io import imread, imsave

from napari_simpleclick.cli import main
from napari_simpleclick.evaluation import evaluate as module
from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.runtimes.runtime import RUNTIMES
from napari_simpleclick.modeling.simpleclick import SimpleClick

TINY = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    (root / "images").mkdir()
    (root / "masks").mkdir()
    rng = np.random.default_rng(0)
    for stem in ("a<b", "c"):
        image = rng.integers(0, 256, (50, 70), dtype=np.uint8)
        mask = np.zeros(image.shape, np.uint8)
        mask[10:20, 10:30], mask[30:45, 40:60] = 1, 2
        imsave(root / "images" / f"{stem}.png", image, check_contrast=False)
        imsave(root / "masks" / f"{stem}.png", mask, check_contrast=False)
    return root


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    paths = []
    for seed, name in enumerate(("first", "second")):
        torch.manual_seed(seed)
        paths.append(folder / f"{name}.safetensors")
        save_checkpoint(SimpleClick(TINY), paths[-1])
    return [str(path) for path in paths]


def run(root, output, models, *options):
    clicks = ["--max-clicks", "3", "--device", "cpu"]
    where = ["--dataset", "folder", "--root", str(root), "--output", str(output)]
    return main(["evaluate", *where, "--model", *models, *clicks, *options])


@pytest.fixture(scope="module")
def output(root, checkpoints, tmp_path_factory):
    output = tmp_path_factory.mktemp("output") / "new"
    assert run(root, output, checkpoints) == 0
    return output


def test_report_and_table_agree(output):
    document = json.loads((output / "report.json").read_text())
    with (output / "objects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["object"] for row in rows] == ["a<b/1", "a<b/2", "c/1", "c/2"] * 2
    for model in document["models"]:
        own = [row for row in rows if row["model"] == model["model"]]
        mean = np.mean([float(row["iou_3"]) for row in own])
        assert model["miou_at"]["3"] == pytest.approx(mean, abs=1e-6)
        assert len(model["checkpoint_sha256"]) == 64
        assert model["runtime"] in RUNTIMES
    assert document["settings"]["flip"] is False
    assert "each image once, as in the viewer" in (output / "report.html").read_text()


def test_curves_and_cases_are_pictures(output):
    assert imread(output / "curves.png").std() > 0
    assert (output / "curves.svg").read_text().lstrip().startswith("<?xml")
    cases = {path.name for path in (output / "cases" / "second").iterdir()}
    assert cases == {f"{kind}_{i}.png" for kind in ("worst", "best") for i in (1, 2)}


def test_the_page_needs_no_other_file(output):
    html = (output / "report.html").read_text()
    assert "a&lt;b/1" in html
    assert "a<b" not in html
    assert html.count("data:image/png;base64,") == 8
    assert not re.search(r"(src|href)=\"(?!data:|#)", html.replace("xlink:", ""))


def test_the_same_command_again_measures_nothing_anew(output, root, checkpoints):
    before = (output / "objects.csv").read_bytes()
    assert run(root, output, checkpoints) == 0
    assert (output / "objects.csv").read_bytes() == before


def test_other_settings_are_one_sentence(output, root, checkpoints, capsys):
    assert run(root, output, checkpoints, "--flip") == 1
    said = capsys.readouterr().err
    assert "settings flip = False, expected True; choose another folder" in said


def test_no_objects_at_once_are_refused(root, tmp_path, capsys):
    assert run(root, tmp_path, ["watershed"], "--batch-size", "0") == 1
    assert "batch_size: 0, expected at least 1" in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(root, tmp_path, monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "evaluate", interrupted)
    with pytest.raises(SystemExit) as stopped:
        run(root, tmp_path, ["default"])
    assert stopped.value.code == 130
    assert "keeps what is done, run again to go on" in capsys.readouterr().out


def test_whole_volumes(checkpoints, tmp_path, capsys):
    rng = np.random.default_rng(0)
    labels = np.zeros((6, 40, 50), np.uint8)
    labels[1:5, 10:30, 10:25], labels[2:4, 5:15, 30:45] = 1, 2
    noise = rng.integers(0, 80, labels.shape)
    tifffile.imwrite(tmp_path / "a_image.tif", (60 * labels + noise).astype(np.uint8))
    tifffile.imwrite(tmp_path / "a_label.tif", labels)
    output = tmp_path / "out"
    where = ["--dataset", "volume", "--root", str(tmp_path), "--output", str(output)]
    model = ["--model", "watershed", checkpoints[0], "--device", "cpu"]
    options = ["--max-clicks", "4", "--volume-dice", "--reach", "1", "--every", "2"]
    assert main(["evaluate", *where, *model, *options]) == 0
    document = json.loads((output / "report.json").read_text())
    assert document["settings"]["reach"] == 1
    with (output / "objects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["object"] for row in rows] == ["a/1", "a/2"] * 2
    for entry in document["models"]:
        ious = [float(r["iou_4"]) for r in rows if r["model"] == entry["model"]]
        dice = np.mean([2 * iou / (1 + iou) for iou in ious])
        assert entry["dice_at"]["4"] == pytest.approx(dice, abs=1e-5)
    slices = {click[1] for row in rows for click in row["clicks"].split()}
    assert slices <= {"0", "2", "4"}
    html = (output / "report.html").read_text()
    assert "mean Dice @1 (%)" in html
    assert "mean IoU" not in html
    assert html.count("data:image/png;base64,") == 4
    assert re.search(r"a/[12]: Dice [\d.]+ % \(slice [024]: [\d.]+ %\)", html)
    assert main(["evaluate", *where, *model, *options[:2], "--reach", "1"]) == 1
    assert "add --volume-dice" in capsys.readouterr().err


def test_options_for_volumes_reach_the_data_set(tmp_path, capsys):
    common = ["--root", str(tmp_path), "--output", str(tmp_path / "out")]
    assert main(["evaluate", "--dataset", "volume", *common, "--axis", "5"]) == 1
    assert "axis: 5, expected 0, 1 or 2" in capsys.readouterr().err
    assert main(["evaluate", "--dataset", "folder", *common, "--every", "2"]) == 1
    assert "folder consists of slices: axis, every" in capsys.readouterr().err
    assert main(["evaluate", "--dataset", "nothing", *common]) == 1
    assert "expected one of folder, ssTEM" in capsys.readouterr().err
