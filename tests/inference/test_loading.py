import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_simpleclick.inference.loading import (
    load_predictor,
    predictor_for,
    runtime_of,
    warm_up,
)
from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.runtimes import opening
from napari_simpleclick.modeling.runtimes.runtime import Runtime
from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.types import Click, Prediction

SMALL = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)


def test_a_checkpoint_is_used_as_its_configuration_says(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = replace(
        SMALL,
        min_crop=48,
        recompute_iou=0.9,
        crop_snap=8,
        second_look=True,
        glance_size=32,
        flood=True,
        exact_clicks=True,
        obey_clicks=True,
        steady=True,
    )
    save_checkpoint(SimpleClick(config), tmp_path / "own.safetensors")
    predictor = load_predictor(tmp_path / "own.safetensors", device="cpu")
    assert predictor.input_size == 64
    assert predictor.zoom_in is not None
    assert predictor.zoom_in.min_crop == 48
    assert predictor.zoom_in.recompute_iou == 0.9
    assert predictor.zoom_in.snap == 8
    assert predictor.second_look
    assert predictor.glance_size == 32
    assert predictor.flood
    assert predictor.exact_clicks
    assert predictor.obey
    assert predictor.steady


def test_published_networks_are_used_as_published() -> None:
    network = TorchEager(SimpleClick(SMALL).eval())
    predictor = predictor_for(network, SMALL, input_size=32, flip=True)
    assert predictor.input_size == 32
    assert predictor.flip
    assert predictor.zoom_in is not None
    assert predictor.zoom_in.min_crop == 200
    assert predictor.zoom_in.recompute_iou == 0.5
    assert predictor.zoom_in.snap == 0
    assert not predictor.second_look
    assert not predictor.flood
    assert not predictor.obey
    assert not predictor.steady


def test_the_log_tells_what_computes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "own.safetensors"
    save_checkpoint(SimpleClick(SMALL), path)
    predictor = load_predictor(path, runtime="openvino-float32")
    runtime = runtime_of(predictor)
    assert runtime is not None
    assert runtime.name == "openvino-float32"
    assert runtime.device == "cpu"
    assert f"{path} computes with OpenVINO, float32 (cpu)" in caplog.text


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("shape", [(70, 90), (50, 54)])
def test_runtimes_give_the_same_masks(
    tmp_path: Path, flip: bool, shape: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    config = replace(SMALL, second_look=True, glance_size=48, flood=True)
    network = SimpleClick(config).eval()
    with torch.no_grad():
        network.head.conv_seg.weight.mul_(40)
    path = tmp_path / "own.safetensors"
    save_checkpoint(network, path)
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    clicks = [Click(30, 40), Click(45, 20, is_positive=False), Click(35, 50)]
    answers: list[Prediction | None] = [None, None]
    predictors = [
        load_predictor(path, device="cpu", runtime=name, flip=flip)
        for name in ("torch-float32", "openvino-float32")
    ]
    for count in range(1, 4):
        answers = [
            predictor.predict(image, clicks[:count], answer)
            for predictor, answer in zip(predictors, answers, strict=True)
        ]
    assert isinstance(predictors[1].glance_model, Runtime)
    assert predictors[1].glance_model.name == "openvino-float32"
    ours, expected = (each for each in answers if each is not None)
    assert ours.roi == expected.roi
    assert expected.probability.std() > 0.05
    np.testing.assert_allclose(ours.probability, expected.probability, atol=1e-3)


def test_other_click_models_have_no_runtime() -> None:
    network = TorchEager(SimpleClick(SMALL).eval())
    predictor = predictor_for(network, SMALL)
    assert runtime_of(predictor) is None
    warm_up(predictor)


def test_from_the_second_time_on_nothing_needs_torch(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    config = replace(SMALL, second_look=True, glance_size=64, flood=True)
    save_checkpoint(SimpleClick(config), path)
    opened = runtime_of(load_predictor(path, device="cpu"))
    assert opened is not None
    assert opened.name.startswith("openvino")  # so it can do without
    code = (
        "import sys\n"
        "from napari_simpleclick.inference.loading import load_predictor, warm_up\n"
        f"warm_up(load_predictor({str(path)!r}, device='cpu'))\n"
        "assert 'timm' not in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_bundled_model_never_needs_torch_where_openvino_computes(
    tmp_path: Path,
) -> None:
    code = (
        "import sys\n"
        "from napari_simpleclick.inference.loading import load_predictor, warm_up\n"
        "predictor = load_predictor(runtime='openvino-float32')\n"
        "assert predictor.glance_model.name == 'openvino-float32'\n"
        "warm_up(predictor)\n"
        "assert 'timm' not in sys.modules and 'torch' not in sys.modules\n"
    )
    empty = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=empty)
    assert len(list(tmp_path.rglob("*-openvino-float32-*.bin"))) == 2


def test_where_a_glance_is_refused_torch_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "own.safetensors"
    save_checkpoint(SimpleClick(replace(SMALL, second_look=True, glance_size=32)), path)

    def agreement(compute: object, expected: NDArray[np.float32]) -> float:
        return 1.0 if expected.shape[-1] == 64 else 0.5

    monkeypatch.setattr(opening, "measure_agreement", agreement)
    predictor = load_predictor(path, runtime="openvino-float32")
    assert isinstance(predictor.glance_model, Runtime)
    assert predictor.glance_model.name == "torch-float32"
    assert "agrees with that of PyTorch in float32 by 0.500" in caplog.text
    predictor.predict(np.zeros((30, 30), np.uint8), [Click(15, 15)])
