import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from napari_simpleclick.modeling.checkpoint import load_checkpoint
from napari_simpleclick.training.config import TrainConfig
from napari_simpleclick.training.saved_state import read_state
from napari_simpleclick.training.train import train


def saved_step(output: Path) -> int:
    step: int = torch.load(output / "state.pt", weights_only=True)["step"]
    return step


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
@pytest.mark.parametrize(
    ("room", "written", "unwritten"),
    [(200_000, True, "state.pt"), (4_000, False, "last.safetensors")],
)
def test_a_full_disk_takes_the_state_before_the_weights_and_is_one_sentence(
    config: TrainConfig, tmp_path: Path, room: int, written: bool, unwritten: str
) -> None:
    (tmp_path / "run.toml").write_text(
        'initial = "tiny.safetensors"\nsteps = 1\ncanvas_size = 48\n'
        "input_sizes = [32]\nbatch_sizes = [2]\nusers = 40\nworkers = 0\n"
        "tensorboard = false\n"
    )
    output = tmp_path / "run"
    done = in_little_room(room, ["train", tmp_path / "run.toml", "--output", output])
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert f"{output / unwritten} cannot be written: " in said
    assert "File too large" in said
    assert "Traceback" not in done.stderr
    assert [path.name for path in output.glob("*.safetensors")] == (
        ["last.safetensors"] if written else []
    )
    if written:
        load_checkpoint(output / "last.safetensors")
    assert not list(output.glob(".*"))


def in_little_room(
    room: int, command: Sequence[object]
) -> subprocess.CompletedProcess[str]:
    """Run the command line where no file can be larger than a number of bytes."""
    code = (
        "import resource, signal, sys\n"
        "from napari_simpleclick.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_state_of_an_earlier_version_is_carried_on(
    config: TrainConfig, tmp_path: Path
) -> None:
    output = tmp_path / "run"
    train(dataclasses.replace(config, steps=2), output)
    values = torch.load(output / "state.pt", weights_only=True)
    del values["pool"]["waiting"]
    kept = ("step", "model", "averaged", "optimizer", "pool", "random")
    torch.save({name: values[name] for name in kept}, output / "state.pt")
    train(dataclasses.replace(config, steps=4), output)
    assert saved_step(output) == 4


def test_a_run_of_another_network_is_not_carried_on(
    config: TrainConfig, tmp_path: Path
) -> None:
    train(dataclasses.replace(config, steps=1), tmp_path / "run")
    other = dataclasses.replace(config, initial=None, variant="xtiny")
    with pytest.raises(
        ValueError, match=r"state\.pt holds another network than variant"
    ):
        train(other, tmp_path / "run")
    assert saved_step(tmp_path / "run") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("canvas_size", 64),
        ("freeze_backbone", True),
        ("layer_decay", 0.5),
        ("clicks", "iterative"),
    ],
)
def test_a_run_is_not_carried_on_otherwise(
    config: TrainConfig, tmp_path: Path, name: str, value: object
) -> None:
    begun = dataclasses.replace(config, steps=1)
    other = dataclasses.replace(begun, steps=2, **{name: value})  # type: ignore[arg-type]
    for first, second in ((begun, other), (other, begun)):
        train(first, tmp_path / "run", resume=False)
        with pytest.raises(ValueError, match=rf"state\.pt .* {name}.*--restart"):
            train(dataclasses.replace(second, steps=3), tmp_path / "run")
        assert saved_step(tmp_path / "run") == first.steps


def test_a_state_that_was_cut_anywhere_is_one_sentence(
    config: TrainConfig, tmp_path: Path
) -> None:
    state = tmp_path / "state.pt"
    train(dataclasses.replace(config, steps=1), tmp_path)
    whole = state.read_bytes()
    for length in {*range(0, 70_000, 500), *range(0, len(whole), len(whole) // 50)}:
        state.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"state\.pt is damaged, .* --restart$"):
            read_state(state)


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "zeros", "tensors"])
def test_a_damaged_state_is_one_sentence(
    config: TrainConfig, tmp_path: Path, damage: str
) -> None:
    state = tmp_path / "run" / "state.pt"
    train(dataclasses.replace(config, steps=1), tmp_path / "run")
    whole = state.read_bytes()
    if damage == "tensors":
        torch.save({"model": {}}, state)
    else:
        damaged = {"empty": b"", "text": b"no state", "zeros": bytes(len(whole))}
        state.write_bytes(damaged.get(damage, whole[: len(whole) // 2]))
    with pytest.raises(ValueError, match=r"^\S*state\.pt is damaged, .* --restart$"):
        train(config, tmp_path / "run")
    train(dataclasses.replace(config, steps=1), tmp_path / "run", resume=False)
    assert saved_step(tmp_path / "run") == 1


def test_a_run_told_not_to_resume_starts_over(
    config: TrainConfig, tmp_path: Path
) -> None:
    first = train(config, tmp_path / "run")
    again = train(config, tmp_path / "run", resume=False)
    assert torch.equal(first.backbone.pos_embed, again.backbone.pos_embed)
