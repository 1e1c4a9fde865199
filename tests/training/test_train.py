import csv
import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import io

from napari_simpleclick.modeling.checkpoint import load_checkpoint, save_checkpoint
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.training.config import TrainConfig
from napari_simpleclick.training.dataset import CanvasDataset
from napari_simpleclick.training.packing import LabelledVolume
from napari_simpleclick.training.train import learning_rate, train, train_step
from napari_simpleclick.training.train_log import StepReport, TrainLog
from napari_simpleclick.training.train_state import start

TINY = SimpleClickConfig(
    image_size=32,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    torch.manual_seed(0)
    save_checkpoint(SimpleClick(TINY), tmp_path / "tiny.safetensors")
    return TrainConfig(
        initial=tmp_path / "tiny.safetensors",
        canvas_size=48,
        input_sizes=(32, 48),
        batch_sizes=(3, 2),
        users=4,
        steps=8,
        warmup_steps=2,
        workers=0,
        log_every=4,
        bfloat16=False,
    )


def test_a_resumed_run_ends_with_the_same_bits(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(config, tmp_path / "whole")
    state = start(config)
    monkeypatch.setattr(
        "napari_simpleclick.training.train.train_step",
        stop_after(3, monkeypatch),
    )
    checkpointing = dataclasses.replace(config, checkpoint_minutes=0)
    with pytest.raises(KeyboardInterrupt):
        train(checkpointing, tmp_path / "halves")
    monkeypatch.undo()
    halves = train(config, tmp_path / "halves")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, halves.state_dict()[name]), name
    assert not torch.equal(
        whole.backbone.pos_embed, state.model.backbone.pos_embed.cpu()
    )


def stop_after(steps: int, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def step(state, config):  # type: ignore[no-untyped-def]
        if state.step == steps:
            raise KeyboardInterrupt
        return train_step(state, config)

    return step


def test_training_leaves_a_checkpoint_a_state_and_a_log(
    config: TrainConfig, tmp_path: Path
) -> None:
    output = tmp_path / "run"
    model = train(config, output)
    shipped = load_checkpoint(output / "model.safetensors")
    assert shipped.config == TINY
    for name, value in model.state_dict().items():
        torch.testing.assert_close(
            shipped.state_dict()[name], value, rtol=1e-3, atol=1e-4
        )
    assert sorted(path.name for path in output.iterdir()) == [
        "log.csv",
        "model.safetensors",
        "state.pt",
    ]
    rows = read_log(output / "log.csv")
    assert [row["step"] for row in rows] == ["4", "8"]
    assert all(float(row["loss"]) > 0 for row in rows)


def test_validation_is_logged(
    config: TrainConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "held_out" / "discs"
    for name in ("images", "masks"):
        (data / name).mkdir(parents=True)
        square = np.zeros((40, 40), np.uint8)
        square[10:20, 10:20] = 1
        io.imsave(data / name / "a.png", square, check_contrast=False)
    watched = dataclasses.replace(
        config, steps=1, validation=tmp_path / "held_out", validation_size=32
    )
    with caplog.at_level(logging.INFO):
        train(watched, tmp_path / "run")
    assert [record.args[-1] for record in caplog.records if "mIoU" in record.msg] == [
        "discs",
        "mean",
    ]


def read_log(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_run_told_not_to_resume_starts_over(
    config: TrainConfig, tmp_path: Path
) -> None:
    first = train(config, tmp_path / "run")
    again = train(config, tmp_path / "run", resume=False)
    assert torch.equal(first.backbone.pos_embed, again.backbone.pos_embed)


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


def test_learning_rate_rises_then_follows_a_cosine() -> None:
    config = TrainConfig(
        steps=1100, warmup_steps=100, learning_rate=1.0, final_rate=0.1
    )
    assert learning_rate(config, 0) == pytest.approx(0.01)
    assert learning_rate(config, 99) == pytest.approx(1)
    assert learning_rate(config, 600) == pytest.approx(0.55)
    assert learning_rate(config, 1100) == pytest.approx(0.1)


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


def test_canvases_depend_on_seed_and_number_alone() -> None:
    labels = np.zeros((1, 60, 60), np.uint8)
    labels[0, 20:40, 20:40] = 1
    volumes = [
        LabelledVolume("real", 100 * labels, labels),
        LabelledVolume("map", None, labels),
    ]
    dataset = CanvasDataset(volumes, size=48, seed=3)
    for number in range(8):
        image, mask = dataset[number]
        again = CanvasDataset(volumes, size=48, seed=3)[number]
        assert torch.equal(image, again[0])
        assert torch.equal(mask, again[1])
        assert mask.any()
    assert not torch.equal(image, CanvasDataset(volumes, size=48, seed=4)[7][0])


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("variant", "tiny"),
        ("real_fraction", 1.5),
        ("stop_probability", 0.0),
        ("batch_sizes", (100,)),
        ("batch_sizes", (4, 4)),
        ("steps", 0),
    ],
)
def test_configuration_refuses_what_cannot_be(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        TrainConfig(**{name: value})


def test_log_means_by_hand(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = TrainLog(tmp_path / "log.csv", every=2)
    with caplog.at_level(logging.INFO):
        log.add(1, StepReport(2.0, 1.0, 0.1, torch.tensor([[1, 0.2], [3, 0.5]])))
        log.add(2, StepReport(4.0, 3.0, 0.2, torch.tensor([[1, 0.6], [4, 0.9]])))
    (row,) = read_log(tmp_path / "log.csv")
    assert [row[name] for name in ("step", "loss", "gradient_norm")] == ["2", "3", "2"]
    assert float(row["iou_1"]) == pytest.approx(0.4)
    assert float(row["iou_3"]) == pytest.approx(0.5)
    assert row["iou_10"] == "nan"
    assert "loss 3" in caplog.text
