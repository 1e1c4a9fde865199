"""Training on a GPU: simulated users, bfloat16, and a run that is taken up again."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import torch

from napari_simpleclick.modeling.checkpoint import load_checkpoint
from napari_simpleclick.training.config import TrainConfig
from napari_simpleclick.training.train import LAST_NAME, train


def read_log(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_on_a_gpu_is_taken_up_again(tmp_path: Path) -> None:
    config = TrainConfig(
        initial="default",
        device="cuda",
        canvas_size=224,
        input_sizes=(224, 112),
        batch_sizes=(8, 16),
        users=24,
        small_images=0.5,
        second_looks=0.8,
        steps=6,
        warmup_steps=1,
        workers=2,
        log_every=3,
        tensorboard=False,
    )
    train(config, tmp_path)
    first = read_log(tmp_path)
    model = train(dataclasses.replace(config, steps=9), tmp_path)
    rows = read_log(tmp_path)
    assert rows[:2] == first  # a run that begins anew writes other times
    assert [row["step"] for row in rows] == ["3", "6", "9"]
    assert all(0 < float(row["loss"]) < 3 for row in rows)
    before = load_checkpoint("default").state_dict()
    after = load_checkpoint(tmp_path / LAST_NAME).state_dict()
    assert all(torch.isfinite(value).all() for value in after.values())
    assert any(not torch.equal(value, before[name]) for name, value in after.items())
    assert {value.device.type for value in model.state_dict().values()} == {"cpu"}
