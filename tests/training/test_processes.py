"""Training in more than one process: real ones, on the CPU."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.training.config import TrainConfig
from napari_simpleclick.training.processes import open_fabric
from napari_simpleclick.training.train import train
from tests.training.conftest import TINY

SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
from napari_simpleclick.training import train as training
from napari_simpleclick.training.config import TrainConfig

def noted_step(state, config):
    report = train_step(state, config)
    values = [value.flatten() for value in state.model.state_dict().values()]
    noted = {"weights": torch.cat(values), "images": state.pool.image.clone()}
    rank = state.fabric.global_rank
    torch.save(noted, folder / f"{folder.name}-{rank}-{state.step}.pt")
    return report

train_step, training.train_step = training.train_step, noted_step
config = TrainConfig.from_toml(Path(sys.argv[1]))
for name, steps in (("whole", 4), ("halves", 2), ("halves", 4)):
    folder = Path(name)
    training.train(replace(config, steps=steps), folder)
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_checkpoint(SimpleClick(TINY), tmp_path / "tiny.safetensors")
    path = tmp_path / "run.toml"
    path.write_text(
        'initial = "tiny.safetensors"\ncanvas_size = 48\ninput_sizes = [32]\n'
        "batch_sizes = [2]\nusers = 3\nsteps = 4\nwarmup_steps = 4\nworkers = 0\n"
        "final_rate = 1.0\nbfloat16 = false\ntensorboard = false\nlog_every = 2\n"
    )
    return path


def run_in_two_processes(tmp_path: Path, config: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run(
        [*launcher, "--nproc-per-node=2", str(script), str(config)],
        check=True,
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=300,
    )


def noted(folder: Path, rank: int, step: int) -> dict[str, torch.Tensor]:
    path = folder / f"{folder.name}-{rank}-{step}.pt"
    values: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return values


@pytest.mark.slow
def test_fabric_run_starts_the_command(config: Path, tmp_path: Path) -> None:
    fabric, command = (
        Path(sys.executable).parent / name for name in ("fabric", "napari-simpleclick")
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    launcher = [fabric, "run", "--devices=2", f"--main-port={port}"]
    subprocess.run(
        [*launcher, command, "train", config, "--output", tmp_path / "run"],
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    assert state["step"] == 4
    assert len(state["others"]) == 1


@pytest.mark.slow
def test_two_processes_share_weights_but_not_canvases(
    config: Path, tmp_path: Path
) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    run_in_two_processes(tmp_path, config)
    for step in (1, 4):
        first, second = (noted(whole, rank, step) for rank in (0, 1))
        assert torch.equal(first["weights"], second["weights"])
        assert not torch.equal(first["images"], second["images"])
    for rank in (0, 1):
        resumed, straight = noted(halves, rank, 4), noted(whole, rank, 4)
        assert torch.equal(resumed["weights"], straight["weights"])
        assert torch.equal(resumed["images"], straight["images"])
    # One process more takes the mean of two batches: other weights than one alone.
    alone = train(TrainConfig.from_toml(config), tmp_path / "alone")
    assert len((whole / "log.csv").read_text().splitlines()) == 3
    assert not torch.equal(
        torch.cat([value.flatten() for value in alone.state_dict().values()]),
        noted(whole, 0, 4)["weights"],
    )
    # The state of two processes serves one, without the users of the other.
    train(TrainConfig.from_toml(config), halves)


def test_one_process_runs_without_a_wrapper(config: Path) -> None:
    fabric = open_fabric(TrainConfig.from_toml(config))
    model = SimpleClick(TINY)
    assert fabric.world_size == 1
    assert fabric.setup(model)._forward_module is model


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="device: 'abacus'"):
        open_fabric(TrainConfig(device="abacus"))


def test_cuda_is_not_replaced_by_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="cuda"):
        open_fabric(TrainConfig(device="cuda:1"))


def test_without_fabric_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(ImportError, match=r"napari-simpleclick\[train\]"):
        open_fabric(TrainConfig())


@pytest.mark.parametrize("is_computed", [True, False])
def test_bfloat16_is_taken_only_where_the_processor_computes_it(
    is_computed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"avx512_bf16": is_computed}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    with open_fabric(TrainConfig(bfloat16=True)).autocast():
        assert torch.is_autocast_enabled("cpu") == is_computed
    with open_fabric(TrainConfig(bfloat16=False)).autocast():
        assert not torch.is_autocast_enabled("cpu")
