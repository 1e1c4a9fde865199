import dataclasses
import math
import re
from pathlib import Path

import pytest

from napari_simpleclick.cli import main
from napari_simpleclick.training.config import TrainConfig
from napari_simpleclick.training.mixture import Source


def test_configuration_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'data = "pack.npz"\nsteps = 5\ninput_sizes = [64, 32]\nbatch_sizes = [2, 8]\n'
    )
    config = TrainConfig.from_toml(path)
    assert config == TrainConfig(
        data=tmp_path / "pack.npz",
        steps=5,
        input_sizes=(64, 32),
        batch_sizes=(2, 8),
    )
    path.write_text("stpes = 5\n")
    with pytest.raises(ValueError, match="stpes"):
        TrainConfig.from_toml(path)


def test_paths_are_relative_to_the_file_and_names_stay_names(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'initial = "default"\nvalidation = "held_out"\n'
        '[[sources]]\nkind = "folder"\npath = "mine"\nweight = 2\n'
        '[[sources]]\nkind = "synthetic"\n'
    )
    config = TrainConfig.from_toml(path)
    assert config.initial == "default"
    assert config.validation == tmp_path / "held_out"
    assert config.sources == (
        Source("folder", tmp_path / "mine", 2.0),
        Source("synthetic"),
    )
    path.write_text('initial = "mine.safetensors"\n')
    assert TrainConfig.from_toml(path).initial == tmp_path / "mine.safetensors"
    path.write_text('pretrained = "vit_base_patch16_224.mae"\n')
    assert TrainConfig.from_toml(path).pretrained == "vit_base_patch16_224.mae"
    (tmp_path / "mae.pth").touch()
    path.write_text('pretrained = "mae.pth"\n')
    assert TrainConfig.from_toml(path).pretrained == str(tmp_path / "mae.pth")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("steps = ")
    with pytest.raises(ValueError, match=r"run\.toml cannot be read as TOML"):
        TrainConfig.from_toml(tmp_path / "run.toml")


def test_configuration_refuses_what_contradicts_itself(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="initial"):
        TrainConfig(initial="default", pretrained="vit_base_patch16_224.mae")
    with pytest.raises(ValueError, match="sources"):
        TrainConfig(data=tmp_path / "pack.npz", sources=(Source("synthetic"),))
    with pytest.raises(ValueError, match="epochs: 3, samples_per_epoch: None"):
        TrainConfig(epochs=3)
    with pytest.raises(ValueError, match="for each of the input_sizes"):
        TrainConfig(input_sizes=())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("variant", "tiny"),
        ("pyramid", "round"),
        ("real_fraction", 1.5),
        ("stop_probability", 0.0),
        ("batch_sizes", (100,)),
        ("batch_sizes", (4, 4)),
        ("batch_sizes", (0,)),
        ("steps", 0),
        ("clicks", "random"),
        ("schedule", "linear"),
        ("milestones", (5, 2)),
        ("minutes", 0),
        ("devices", 0),
        ("betas", (0.9,)),
        ("betas", (0.9, 0.98, 0.99)),
        ("betas", (2.0, 0.9)),
        ("max_clicks", 0),
        ("canvas_size", -5),
        ("canvas_size", 0),
        ("minutes", math.inf),
        ("minutes", math.nan),
        ("validation_minutes", math.inf),
        ("learning_rate", math.nan),
        ("milestones", ("a",)),
        ("steps", "a"),
        ("steps", 1.5),
        ("steps", True),
        ("input_sizes", 224),
        ("input_sizes", (0,)),
        ("validation", 3),
        ("initial", 3),
        ("dice_weight", "x"),
        ("workers", 1.5),
        ("workers", -1),
        ("seed", -1),
        ("checkpoint_minutes", -1),
        ("layer_decay", 0),
        ("tensorboard", "no"),
    ],
)
def test_configuration_refuses_what_cannot_be(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{name}: {value!r}, expected ")):
        TrainConfig(**{name: value})


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(TrainConfig)])
def test_no_entry_takes_anything(name: str) -> None:
    if name != "sources":  # values of a class of their own, which checks them
        with pytest.raises(ValueError, match=f"{name}: .*, expected"):
            TrainConfig(**{name: object()})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("validation = 3", "validation: 3, expected a name or a path"),
        ("data = [1]", "data: (1,), expected a name or a path"),
        ("input_sizes = 224", "input_sizes: 224, expected a list of whole numbers"),
        ("betas = [0.9]", "betas: (0.9,), expected a list of two numbers in [0, 1)"),
        ("minutes = inf", "minutes: inf, expected a finite number above 0"),
        ("sources = 3", "sources: 3, expected tables, [[sources]]"),
        ("sources = [3]", "sources: [3], expected tables, [[sources]]"),
        ('[[sources]]\nkind="synthetic"\nweight="a"', "weight: 'a', expected a number"),
        ('[[sources]]\nkind="folder"\npath=3', "path: 3, expected a path"),
        ('[[sources]]\nkind="synthetic"\npath=3', "path: 3, expected no path"),
    ],
)
def test_a_value_that_does_not_fit_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    (tmp_path / "run.toml").write_text(line)
    output = str(tmp_path / "run")
    assert main(["train", str(tmp_path / "run.toml"), "--output", output]) == 1
    said = capsys.readouterr().err.splitlines()
    assert message in said[-1]
    assert not (tmp_path / "run").exists()


def test_epochs_become_steps_of_all_processes() -> None:
    config = TrainConfig(
        epochs=55, samples_per_epoch=30_000, batch_sizes=(32,), milestones=(50, 52.5)
    )
    one, four = config.in_steps(), config.in_steps(4)
    assert (one.steps, four.steps) == (51_563, 12_891)
    assert four.milestones == (11_719, 12_305)
    assert four.in_steps(4) == four


def test_configurations_without_epochs_are_in_steps() -> None:
    config = TrainConfig(steps=7, milestones=(3,))
    assert config.in_steps(2) == config
    assert dataclasses.replace(config, clicks="iterative", users=1).steps == 7
