import csv
import dataclasses
import logging
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import io

from napari_simpleclick.modeling.checkpoint import load_checkpoint
from napari_simpleclick.modeling.config import VARIANTS
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.training.config import TrainConfig
from napari_simpleclick.training.train import train, train_step
from napari_simpleclick.training.train_state import start
from tests.training.conftest import TINY


def test_a_resumed_run_ends_with_the_same_bits(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = dataclasses.replace(
        config,
        log_every=3,
        validation=held_out(tmp_path),
        validation_steps=2,
        validation_objects=1,
        validation_size=32,
        learning_rate=5e-3,
    )
    whole = train(watched, tmp_path / "whole")
    monkeypatch.setattr("napari_simpleclick.training.train.train_step", stop_after(5))
    with pytest.raises(KeyboardInterrupt):
        train(watched, tmp_path / "halves")
    saved = torch.load(tmp_path / "halves" / "state.pt", weights_only=True)
    assert saved["step"] == 4
    monkeypatch.undo()
    halves = train(watched, tmp_path / "halves")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, halves.state_dict()[name]), name
    for name in ("last.safetensors", "best.safetensors"):
        models = [
            load_checkpoint(tmp_path / run / name).state_dict()
            for run in ("whole", "halves")
        ]
        assert same(*models), name
    curves = [
        read_log(tmp_path / run / "validation.csv") for run in ("whole", "halves")
    ]
    assert [row["step"] for row in curves[0] if row["data"] == "mean"] == list("2468")
    assert curves[0] == curves[1]
    logs = [untimed(tmp_path / run / "log.csv") for run in ("whole", "halves")]
    assert [row["step"] for row in logs[0]] == ["3", "6"]
    assert logs[0] == logs[1]
    states = [
        torch.load(tmp_path / run / "state.pt", weights_only=True)
        for run in ("whole", "halves")
    ]
    assert states[0]["best_score"] == states[1]["best_score"] > -math.inf
    assert same(states[0]["pool"], states[1]["pool"])
    assert same(states[0]["optimizer"]["state"], states[1]["optimizer"]["state"])


def untimed(path: Path) -> list[dict[str, str]]:
    return [{**row, "seconds": ""} for row in read_log(path)]


def same(first: object, second: object) -> bool:
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(  # type: ignore[attr-defined]
            same(first[key], second[key])  # type: ignore[index]
            for key in first
        )
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)  # type: ignore[arg-type]
    return first == second


def stop_after(steps: int):  # type: ignore[no-untyped-def]
    def step(state, config):  # type: ignore[no-untyped-def]
        if state.step == steps:
            raise KeyboardInterrupt
        return train_step(state, config)

    return step


def held_out(folder: Path) -> Path:
    data = folder / "held_out" / "squares"
    for name in ("images", "masks"):
        (data / name).mkdir(parents=True)
        square = np.zeros((40, 40), np.uint8)
        square[10:20, 10:20] = 1
        io.imsave(data / name / "a.png", square, check_contrast=False)
    return data.parent


def test_training_leaves_checkpoints_a_state_and_logs(
    config: TrainConfig, tmp_path: Path
) -> None:
    output = tmp_path / "run"
    model = train(dataclasses.replace(config, tensorboard=True), output)
    shipped = load_checkpoint(output / "last.safetensors")
    assert shipped.config == dataclasses.replace(
        TINY,
        second_look=True,
        flood=True,
        exact_clicks=True,
        obey_clicks=True,
        steady=True,
    )
    for name, value in model.state_dict().items():
        torch.testing.assert_close(
            shipped.state_dict()[name], value, rtol=1e-3, atol=1e-4
        )
    assert sorted(path.name for path in output.iterdir()) == [
        "last.safetensors",
        "log.csv",
        "state.pt",
        "tensorboard",
    ]
    rows = read_log(output / "log.csv")
    assert [row["step"] for row in rows] == ["4", "8"]
    assert all(float(row["loss"]) > 0 for row in rows)
    (events,) = (output / "tensorboard").iterdir()
    assert b"training/loss" in events.read_bytes()


def test_validation_is_logged_and_picks_the_best(
    config: TrainConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = dataclasses.replace(
        config, steps=1, validation=held_out(tmp_path), validation_size=32
    )
    with caplog.at_level(logging.INFO):
        train(watched, tmp_path / "run")
    assert [record.args[-1] for record in caplog.records if "mIoU" in record.msg] == [
        "squares",
        "mean",
    ]
    squares, mean = read_log(tmp_path / "run" / "validation.csv")
    assert (squares["step"], squares["data"], mean["data"]) == ("1", "squares", "mean")
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_the_best_checkpoint_beats_what_it_has_to(
    config: TrainConfig, tmp_path: Path
) -> None:
    watched = dataclasses.replace(
        config, steps=1, validation=held_out(tmp_path), validation_size=32
    )
    train(watched, tmp_path / "run", score_to_beat=1.0)
    assert not (tmp_path / "run" / "best.safetensors").exists()


def test_a_run_ends_when_its_time_is_up(config: TrainConfig, tmp_path: Path) -> None:
    timed = dataclasses.replace(config, steps=10**6, minutes=0.005, final_rate=0.0)
    train(timed, tmp_path / "run")
    values = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    assert values["step"] < 10**6
    assert values["seconds"] >= 0.3


def read_log(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_iterative_clicks_train_and_resume_with_the_same_bits(
    config: TrainConfig, tmp_path: Path
) -> None:
    papers = dataclasses.replace(config, clicks="iterative", steps=6, final_rate=1.0)
    whole = train(papers, tmp_path / "whole")
    train(dataclasses.replace(papers, steps=3), tmp_path / "halves")
    halves = train(papers, tmp_path / "halves")
    assert same(whole.state_dict(), halves.state_dict())


def test_a_resumed_run_decays_as_its_configuration_says(
    config: TrainConfig, tmp_path: Path
) -> None:
    train(dataclasses.replace(config, steps=1), tmp_path)
    changed = dataclasses.replace(config, weight_decay=0.5, betas=(0.5, 0.6))
    groups = start(changed, tmp_path / "state.pt").optimizer.param_groups
    assert {group["weight_decay"] for group in groups} == {0.0, 0.5}
    assert {group["betas"] for group in groups} == {(0.5, 0.6)}


def test_lower_layers_learn_more_slowly(config: TrainConfig) -> None:
    slow = dataclasses.replace(config, layer_decay=0.5, warmup_steps=0)
    state = start(slow)
    train_step(state, slow)
    rates = [group["lr"] for group in state.optimizer.param_groups]
    assert max(rates) == slow.learning_rate
    assert min(rates) == pytest.approx(slow.learning_rate * 0.5**5)


def test_a_frozen_backbone_stays_as_it_is(config: TrainConfig) -> None:
    frozen = dataclasses.replace(config, freeze_backbone=True, learning_rate=0.1)
    state = start(frozen)
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    for _ in range(2):
        train_step(state, frozen)
    after = state.model.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert any(name.startswith("head.") for name in changed)
    assert any(name.startswith("patch_embed_coords.") for name in changed)
    assert not any(name.startswith("backbone.") for name in changed)


def test_a_mixture_of_sources_is_trained_on(
    config: TrainConfig, tmp_path: Path
) -> None:
    path = tmp_path / "run.toml"
    held_out(tmp_path)
    path.write_text(
        'initial = "tiny.safetensors"\nsteps = 1\ncanvas_size = 48\n'
        "input_sizes = [32]\nbatch_sizes = [2]\nusers = 2\nworkers = 0\n"
        "tensorboard = false\n"
        '[[sources]]\nkind = "folder"\npath = "held_out/squares"\nweight = 3\n'
        '[[sources]]\nkind = "synthetic"\n'
    )
    state = start(TrainConfig.from_toml(path))
    assert state.pool.drawn == 2
    assert state.pool.mask.any(dim=2).any(dim=1).all()


def test_pretrained_backbones_and_pyramids_are_used(
    config: TrainConfig, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    donor = SimpleClick(VARIANTS["xtiny"]).backbone.state_dict()
    torch.save({"model": donor}, tmp_path / "mae.pth")
    given = dataclasses.replace(
        config,
        initial=None,
        pyramid="parallel",
        pretrained=str(tmp_path / "mae.pth"),
    )
    model = start(given).model
    assert model.config.pyramid == "parallel"
    name = "blocks.0.attn.qkv.weight"
    assert torch.equal(model.backbone.state_dict()[name], donor[name])


def test_steps_take_turns_at_the_input_sizes(config: TrainConfig) -> None:
    state = start(config)
    reports = [train_step(state, config) for _ in range(4)]
    assert [len(report.clicks) for report in reports] == [3, 2, 3, 2]


def test_the_loss_falls_on_an_easy_task(config: TrainConfig) -> None:
    easy = dataclasses.replace(
        config, learning_rate=5e-3, steps=400, batch_sizes=(4, 4)
    )
    state = start(easy)
    state.pool.canvases = iter(squares())
    state.pool.open()
    losses = [train_step(state, easy).loss for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.75 * np.mean(losses[:10])


def squares():  # type: ignore[no-untyped-def]
    mask = torch.zeros(48, 48, dtype=torch.bool)
    mask[16:40, 8:32] = True
    while True:
        yield mask.to(torch.uint8) * 255, mask


def test_averaged_weights_follow_slowly(config: TrainConfig) -> None:
    state = start(config)
    before = state.model.head.conv_seg.weight.detach().clone()
    state.averaged.update_parameters(state.model)
    with torch.no_grad():
        state.model.head.conv_seg.weight += 1
    state.averaged.update_parameters(state.model)
    # The second update has decay 2/11.
    torch.testing.assert_close(
        state.averaged_model().head.conv_seg.weight, before + 9 / 11
    )
