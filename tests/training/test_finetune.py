import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import io

from napari_simpleclick.cli import main
from napari_simpleclick.modeling.checkpoint import load_checkpoint, save_checkpoint
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.training import finetune
from napari_simpleclick.training.finetune import FineTuning, fine_tune
from tests.training.conftest import TINY

SMALL = dataclasses.replace(TINY, image_size=64)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = SimpleClick(SMALL)
    torch.nn.init.zeros_(network.head.conv_seg.bias)
    save_checkpoint(network, tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


def write_squares(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        row, col = rng.integers(4, 28, 2)
        labels = np.zeros((64, 64), np.uint8)
        labels[row : row + 30, col : col + 30] = 1
        image = (150 * labels + rng.integers(0, 60, labels.shape)).astype(np.uint8)
        io.imsave(folder / "images" / f"{number}.png", image, check_contrast=False)
        io.imsave(folder / "masks" / f"{number}.png", labels, check_contrast=False)
    return folder


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a tiny network learn squares, in steps instead of by the clock."""
    chosen = finetune.fine_tuning_config

    def quick(*arguments, **options):  # type: ignore[no-untyped-def]
        config = chosen(*arguments, **options)
        return dataclasses.replace(
            config, learning_rate=5e-3, steps=100, workers=0, bfloat16=False, users=8
        )

    monkeypatch.setattr(finetune, "fine_tuning_config", quick)


@pytest.mark.usefixtures("eager")
def test_a_model_learns_ones_own_images_and_is_measured_on_others(
    model: Path, tmp_path: Path
) -> None:
    data, output = write_squares(tmp_path / "squares", 10), tmp_path / "out"
    tuned = fine_tune(data, output, initial=model, minutes=60, device="cpu")
    assert (tuned.images, tuned.held_out, tuned.objects) == (8, 2, 2)
    assert np.mean(tuned.after) > np.mean(tuned.before) + 0.2
    assert tuned.checkpoint == output / "squares.safetensors"
    assert load_checkpoint(tuned.checkpoint).config == dataclasses.replace(
        SMALL, exact_clicks=True
    )
    assert str(tuned.checkpoint) in tuned.summary()
    assert "from a file" in tuned.summary()
    names = sorted(path.name for path in output.iterdir())
    assert names == ["log.csv", "squares.safetensors", "validation.csv"]


def test_a_checkpoint_that_is_no_better_than_the_start_is_not_kept(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "score", lambda curves: 1.0)
    data = write_squares(tmp_path / "squares", 4)
    tuned = fine_tune(data, tmp_path / "out", initial=model, minutes=0.01, device="cpu")
    assert tuned.checkpoint is None
    assert not list((tmp_path / "out").glob("*.safetensors"))
    assert "no checkpoint was kept" in tuned.summary()


def test_too_few_images_to_measure_are_learned_from_and_that_is_said(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, output = write_squares(tmp_path / "two", 2), tmp_path / "out"
    command = ["train", "--init", str(model), "--data", str(data), "--minutes", "0.01"]
    assert main([*command, "--output", str(output), "--device", "cpu"]) == 0
    assert "on 4 images, or on 5 slices of a volume of 20" in capsys.readouterr().out
    assert (output / "two.safetensors").exists()
    assert main([*command, "--output", str(output), "--device", "cpu"]) == 1
    assert "--restart" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["best", "last"])
@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.usefixtures("eager")
def test_a_checkpoint_of_data_named_as_a_part_of_a_run_is_kept(
    model: Path, tmp_path: Path, name: str, count: int
) -> None:
    data, output = write_squares(tmp_path / name, count), tmp_path / "out"
    tuned = fine_tune(data, output, initial=model, minutes=60, device="cpu")
    assert tuned.checkpoint == output / f"{name}.safetensors"
    assert list(output.glob("*.safetensors")) == [tuned.checkpoint]
    load_checkpoint(tuned.checkpoint)


@pytest.mark.parametrize("minutes", ["inf", "nan", "0"])
def test_a_time_that_never_ends_is_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], minutes: str
) -> None:
    data = write_squares(tmp_path / "two", 2)
    command = ["train", "--init", str(model), "--data", str(data), "--device", "cpu"]
    output = ["--output", str(tmp_path / "out")]
    assert main([*command, *output, "--minutes", minutes]) == 1
    said = capsys.readouterr().err
    assert f"minutes: {float(minutes)}, expected a finite number above 0" in said
    assert not (tmp_path / "out").exists()


def test_a_configuration_or_data_but_not_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train"]) == 1
    assert main(["train", "run.toml", "--data", str(tmp_path)]) == 1
    assert "--data" in capsys.readouterr().err
    (tmp_path / "run.toml").touch()
    command = ["train", str(tmp_path / "run.toml"), "--output", str(tmp_path / "run")]
    assert main([*command, "--minutes", "3"]) == 1
    assert "--minutes" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_summary_compares_before_and_after() -> None:
    tuned = FineTuning(
        Path("out/mine.safetensors"), 8, 2, 20, (0.1, 0.2, 0.3, 0.4), (0.5, 0.6, 0.7, 1)
    )
    lines = tuned.summary().splitlines()
    assert lines[2].split() == ["before", "10.0", "20.0", "30.0", "40.0"]
    assert lines[3].split() == ["after", "50.0", "60.0", "70.0", "100.0"]
