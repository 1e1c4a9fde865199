"""Where to compute is decided without torch where there can be no GPU."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from napari_simpleclick.modeling import devices
from napari_simpleclick.modeling.devices import choose_device, has_gpu_driver


def test_torch_finds_no_gpu_where_there_is_no_driver() -> None:
    assert has_gpu_driver() or not torch.cuda.is_available()


def test_auto_is_a_gpu_where_there_is_one() -> None:
    assert choose_device() == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == "cpu"


def test_a_driver_without_a_gpu_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_gpu_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == "cpu"


def test_amd_s_gpus_need_no_driver_of_nvidia(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "version", lambda name: "2.15.0+rocm6.4")
    assert has_gpu_driver()


def test_devices_that_are_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device: 'cuda' is not available here"):
        choose_device("cuda")
    with pytest.raises(ValueError, match="device: 'tpu' is not available here"):
        choose_device("tpu")  # type: ignore[arg-type]


@pytest.mark.skipif(has_gpu_driver(), reason="here torch has to look for a GPU")
def test_without_a_driver_torch_is_not_asked() -> None:
    code = (
        "import sys\n"
        "from napari_simpleclick.modeling.devices import choose_device\n"
        "assert choose_device() == 'cpu'\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
