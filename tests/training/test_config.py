import dataclasses
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("variant", "tiny"),
        ("pyramid", "round"),
        ("real_fraction", 1.5),
        ("stop_probability", 0.0),
        ("batch_sizes", (100,)),
        ("batch_sizes", (4, 4)),
        ("steps", 0),
        ("clicks", "random"),
        ("schedule", "linear"),
        ("milestones", (5, 2)),
        ("epochs", 3),
        ("minutes", 0),
        ("devices", 0),
    ],
)
def test_configuration_refuses_what_cannot_be(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        TrainConfig(**{name: value})


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
