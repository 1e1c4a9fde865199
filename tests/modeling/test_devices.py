"""Where to compute is decided without torch where there can be no GPU."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from napari_simpleclick.modeling import devices
from napari_simpleclick.modeling.devices import choose_device, may_have_gpu


def test_torch_finds_no_gpu_where_there_can_be_none() -> None:
    assert may_have_gpu() or not torch.cuda.is_available()


def test_auto_is_a_gpu_where_there_is_one() -> None:
    assert choose_device() == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == "cpu"


def test_a_driver_without_a_gpu_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == "cpu"


@pytest.mark.parametrize(
    ("library", "has_driver", "expected"),
    [
        ("libtorch_cpu.so", True, False),
        ("libtorch_cuda.so", False, False),
        ("torch_cuda.dll", True, True),
        ("libtorch_hip.so", False, True),  # for AMD's
    ],
)
def test_it_takes_a_build_for_gpus_and_a_driver(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    library: str,
    has_driver: bool,
    expected: bool,
) -> None:
    def load(name: str) -> None:
        if not has_driver:
            raise OSError(name)

    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / library).touch()
    monkeypatch.setattr(devices, "folders_of", lambda package: [tmp_path])
    monkeypatch.setattr(devices.ctypes, "CDLL", load)
    assert may_have_gpu() is expected


def test_devices_that_are_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device: 'cuda' is not available here"):
        choose_device("cuda")
    with pytest.raises(ValueError, match="device: 'tpu' is not available here"):
        choose_device("tpu")  # type: ignore[arg-type]


def test_a_build_without_gpus_is_not_imported() -> None:
    code = (
        "import sys\n"
        "from napari_simpleclick.modeling import devices\n"
        "devices.folders_of = lambda package: []\n"
        "assert devices.choose_device() == 'cpu'\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
