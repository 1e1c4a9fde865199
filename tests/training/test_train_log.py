import csv
import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from napari_simpleclick.training.train_log import StepReport, TrainLog


def a_state(step: int = 0) -> SimpleNamespace:
    return SimpleNamespace(step=step, seconds=0.0, pending=[])


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_log_means_by_hand(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = a_state()
    log = TrainLog(tmp_path, state, every=2, tensorboard=False)
    with caplog.at_level(logging.INFO):
        state.step, state.seconds = 1, 0.5
        log.add(StepReport(2.0, 1.0, 0.1, torch.tensor([[1, 0.2], [3, 0.5]])))
        state.step, state.seconds = 2, 0.75
        log.add(StepReport(4.0, 3.0, 0.2, torch.tensor([[1, 0.6], [4, 0.9]])))
    (row,) = rows(tmp_path / "log.csv")
    assert [row[name] for name in ("step", "loss", "gradient_norm")] == ["2", "3", "2"]
    assert float(row["iou_1"]) == pytest.approx(0.4)
    assert float(row["iou_3"]) == pytest.approx(0.5)
    assert row["iou_10"] == "nan"
    assert row["seconds"] == "0.8"
    assert "loss 3" in caplog.text
    assert state.pending == []


def test_a_resumed_log_remembers_what_no_line_has_told(tmp_path: Path) -> None:
    state = a_state()
    log = TrainLog(tmp_path, state, every=2, tensorboard=False)
    state.step = 1
    log.add(StepReport(2.0, 1.0, 0.1, torch.tensor([[1, 0.2]])))
    again = TrainLog(tmp_path, state, every=2, tensorboard=False)
    state.step = 2
    again.add(StepReport(4.0, 3.0, 0.2, torch.tensor([[1, 0.6]])))
    (row,) = rows(tmp_path / "log.csv")
    assert float(row["loss"]) == 3


def test_validation_curves_by_hand(tmp_path: Path) -> None:
    log = TrainLog(tmp_path, a_state(7), every=2, tensorboard=False)
    log.add_validation({"a": np.full(10, 0.5), "b": np.arange(10) / 10})
    first, second, mean = rows(tmp_path / "validation.csv")
    assert (first["step"], first["data"], first["miou_1"]) == ("7", "a", "0.50000")
    assert second["miou_10"] == "0.90000"
    assert (mean["data"], mean["miou_10"]) == ("mean", "0.70000")


def test_tensorboard_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match=r"napari-simpleclick\[train\]"):
        TrainLog(tmp_path, a_state(), every=2, tensorboard=True)
