"""The command line, run as its user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from skimage import io

from napari_simpleclick.cli import main
from napari_simpleclick.io.clicks_file import VolumeClick, write_clicks
from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick

TINY = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)
MRI = Path(str(resources.files("nibabel").joinpath("tests/data/example4d.nii.gz")))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = SimpleClick(TINY)
    torch.nn.init.constant_(model.head.conv_seg.bias, 1.0)
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(model, path)
    return path


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    path = tmp_path / "clicks.json"
    write_clicks(
        path,
        [
            VolumeClick(1, 0, (11, 40, 60)),
            VolumeClick(1, 0, (11, 20, 30), is_positive=False),
            VolumeClick(3, 2, (11, 50, 61)),
        ],
    )
    return path


def segment(volume: Path, clicks: Path, output: Path, checkpoint: Path) -> int:
    files = ["--clicks", str(clicks), "--output", str(output)]
    model = ["--model", str(checkpoint), "--device", "cpu"]
    return main(["segment", str(volume), *files, *model])


def test_segment_writes_a_mask_that_overlays(
    checkpoint: Path,
    clicks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "new folder" / "mask.nii.gz"
    assert segment(MRI, clicks, output, checkpoint) == 0
    mask, source = nibabel.load(output), nibabel.load(MRI)
    np.testing.assert_array_equal(mask.affine, source.affine)
    assert mask.shape == source.shape[:3]
    labels = np.asarray(mask.dataobj)
    assert set(np.unique(labels)) == {0, 1, 3}
    # Displayed (z, y, x) are stored x, y, z, here with z and y turned round.
    assert set(np.nonzero(labels == 1)[2]) == {24 - 1 - 11}
    assert len(set(np.nonzero(labels == 3)[0])) == 1
    printed = capsys.readouterr().out
    assert "object 1: 2 clicks on 1 slice, " in printed
    assert "object 3: 1 click on 1 slice, " in printed
    assert str(output) in printed


def test_a_mask_is_written_whatever_can_be_printed(
    checkpoint: Path, clicks: Path, tmp_path: Path
) -> None:
    code = "import sys; from napari_simpleclick.cli import main; sys.exit(main())"
    mask = tmp_path / "m\u00e4sk.nii.gz"
    files = [str(MRI), "--clicks", str(clicks), "--output", str(mask)]
    done = subprocess.run(
        [sys.executable, "-c", code, "segment", *files, "--model", str(checkpoint)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "mm\\xb3" in done.stdout
    assert "m\\xe4sk.nii.gz" in done.stdout
    assert mask.exists()


def test_segment_a_tiff(checkpoint: Path, tmp_path: Path) -> None:
    import tifffile

    rng = np.random.default_rng(0)
    volume, clicks = tmp_path / "stack.tif", tmp_path / "clicks.json"
    tifffile.imwrite(volume, rng.integers(0, 999, (5, 40, 50)).astype(np.uint16))
    write_clicks(clicks, [VolumeClick(2, 0, (3, 10, 20))])
    assert segment(volume, clicks, tmp_path / "mask.tif", checkpoint) == 0
    labels = tifffile.imread(tmp_path / "mask.tif")
    assert labels.shape == (5, 40, 50)
    assert set(np.nonzero(labels)[0]) == {3}


@pytest.mark.parametrize("shape", [(40, 50), (5, 40, 50)])
@pytest.mark.parametrize("index", ["1", "-1"])
def test_segment_refuses_an_index_that_a_single_volume_has_not(
    shape: tuple[int, ...],
    index: str,
    clicks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import tifffile

    volume, mask = tmp_path / "stack.tif", tmp_path / "mask.tif"
    tifffile.imwrite(volume, np.zeros(shape, np.uint8), photometric="minisblack")
    files = [str(volume), "--clicks", str(clicks), "--output", str(mask)]
    assert main(["segment", *files, "--index", index]) == 1
    told = f"stack has shape {shape}: no volume of index {index}"
    assert told in capsys.readouterr().err


def test_segment_a_2d_image_tells_an_area(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import tifffile

    image, clicks = tmp_path / "slice.tif", tmp_path / "clicks.json"
    size = {"resolution": (0.1, 0.2), "metadata": {"axes": "YX", "unit": "mm"}}
    tifffile.imwrite(image, np.eye(40, dtype=np.uint8), imagej=True, **size)
    write_clicks(clicks, [VolumeClick(1, 0, (0, 10, 20))])
    assert segment(image, clicks, tmp_path / "mask.tif", checkpoint) == 0
    pixels = np.count_nonzero(tifffile.imread(tmp_path / "mask.tif"))
    assert pixels
    told = f"{pixels} pixels, {50 * pixels:.3g} mm\u00b2\n1 click, "
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"position": [24, 1, 1]}, "outside the volume of shape (24, 96, 128)"),
        ({"axis": 5}, "expected 0, 1 or 2"),
    ],
)
def test_segment_names_a_wrong_click(
    change: dict[str, object],
    sentence: str,
    checkpoint: Path,
    clicks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = json.loads(clicks.read_text())
    content["clicks"][1] |= change
    clicks.write_text(json.dumps(content))
    assert segment(MRI, clicks, tmp_path / "mask.nii.gz", checkpoint) == 1
    told = capsys.readouterr().err
    assert "clicks[1]" in told
    assert sentence in told
    assert not (tmp_path / "mask.nii.gz").exists()


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, output = tmp_path / "missing", str(tmp_path / "pack.npz")
    assert main(["pack", str(missing), "--output", output]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"napari-simpleclick: {missing}: ")
    assert "Errno" not in told


def test_segment_without_a_volume_says_so(
    checkpoint: Path, clicks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.nii.gz"
    assert segment(missing, clicks, tmp_path / "mask.nii.gz", checkpoint) == 1
    assert "missing.nii.gz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("scan.nii.gz", "is the volume; expected another file for the mask"),
        ("link.nii.gz", "is the volume; expected another file for the mask"),
        ("new folder/mask.png", "expected a file name in .nii"),
        ("folder.nii", "folder.nii is a folder; expected a file name"),
        ("scan.nii.gz/mask.nii", "scan.nii.gz/mask.nii cannot be written: "),
    ],
)
def test_segment_keeps_the_volume_and_computes_no_mask_that_it_cannot_write(
    name: str,
    sentence: str,
    clicks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scan = tmp_path / "scan.nii.gz"
    scan.write_bytes(MRI.read_bytes())
    (tmp_path / "link.nii.gz").symlink_to(scan)
    (tmp_path / "folder.nii").mkdir()
    no_model = tmp_path / "none.safetensors"
    assert segment(scan, clicks, tmp_path / name, no_model) == 1
    assert sentence in capsys.readouterr().err
    assert scan.read_bytes() == MRI.read_bytes()
    assert not (tmp_path / "new folder").exists()


@pytest.mark.parametrize("command", ["profile", "benchmark"])
def test_figures_that_cannot_be_written_are_not_measured(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert main([command, "--output", str(tmp_path / "file" / "a.json")]) == 1
    printed = capsys.readouterr()
    assert "a.json cannot be written: " in printed.err
    assert not printed.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["profile", "--variants", ""], "variants: '', expected at least one"),
        (["profile", "--sizes", " ,"], "sizes: ' ,', expected at least one"),
        (["benchmark", "--sizes", ""], "sizes: '', expected at least one"),
        (["benchmark", "--runtimes", ""], "runtimes: '', expected at least one"),
        (["contact-sheet", "--output", "s.xyz"], "s.xyz, expected a file name in .png"),
        (["contact-sheet", "--output", "s.png", "--size", "0"], "size: 0, expected at"),
        (["contact-sheet", "--output", "s.png", "--size", "-5"], "size: -5, expected"),
        (["contact-sheet", "--output", "a.png"], "a.png is a folder; expected a file"),
    ],
)
def test_options_that_give_nothing_are_refused(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.png").mkdir()
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert not printed.out
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("command", "told"),
    [("segment", "where to compute"), ("models", "the published ones")],
)
def test_help_tells_what_is_meant(
    command: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert told in " ".join(capsys.readouterr().out.split())


def test_an_interrupted_command_says_so_in_one_line(
    clicks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_simpleclick.segment_file.load_predictor", interrupt)
    assert segment(MRI, clicks, tmp_path / "mask.nii.gz", tmp_path) == 130
    assert capsys.readouterr().err == "napari-simpleclick: stopped\n"
    assert not (tmp_path / "mask.nii.gz").exists()


def test_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert "default" in printed
    assert "cocolvis_vit_base" in printed


def test_a_digest_without_a_file_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["models", "--sha256", "00"]) == 1
    printed = capsys.readouterr()
    assert "--sha256 is for a file: add --import" in printed.err
    assert not printed.out


def test_pack_and_train_give_a_model_to_segment_with(
    clicks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "data" / "set"
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    labels = np.zeros((64, 64), np.uint8)
    labels[16:48, 20:50] = 1
    image = (90 * labels + rng.integers(0, 60, labels.shape)).astype(np.uint8)
    io.imsave(folder / "images" / "a.png", image, check_contrast=False)
    io.imsave(folder / "labels" / "a.png", labels, check_contrast=False)
    packed, config = tmp_path / "pack.npz", tmp_path / "config.toml"
    assert main(["pack", str(tmp_path / "data"), "--output", str(packed)]) == 0
    assert capsys.readouterr().out.startswith("1 volumes")
    config.write_text(
        'data = "pack.npz"\nsteps = 2\ninput_sizes = [32]\nbatch_sizes = [2]\n'
        "users = 2\ncanvas_size = 64\nworkers = 0\nbfloat16 = false\n"
    )
    run = tmp_path / "run"
    assert main(["train", str(config), "--output", str(run)]) == 0
    model = run / "last.safetensors"
    assert segment(MRI, clicks, tmp_path / "mask.nii.gz", model) == 0


def test_demo_segments_the_ventricles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--output", str(tmp_path), "--device", "cpu"]) == 0
    assert "Lateral ventricles" in capsys.readouterr().out
    mask = nibabel.load(tmp_path / "ventricles.nii.gz")
    np.testing.assert_array_equal(mask.affine, nibabel.load(MRI).affine)
    labels = np.asarray(mask.dataobj)
    millilitres = np.count_nonzero(labels) * np.prod(mask.header.get_zooms()) / 1000
    assert len(set(np.nonzero(labels)[2])) >= 3
    # Adults have 5 to 60 ml, of which the clicked slices show a part.
    assert 2 < millilitres < 60
    # The ventricles are in the middle of the head: next to nothing lies far out.
    inside = labels[40:90, 25:75]
    assert np.count_nonzero(inside) > 0.95 * np.count_nonzero(labels)
    assert (tmp_path / "ventricles.png").stat().st_size > 10_000


def test_import_needs_neither_torch_nor_qt() -> None:
    code = (
        "import sys, napari_simpleclick, napari_simpleclick.cli; "
        "heavy = {'torch', 'napari', 'qtpy', 'timm'} & set(sys.modules); "
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
