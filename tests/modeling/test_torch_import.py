"""Torch is imported beside a window: its libraries first, and without collections."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_simpleclick.modeling.shared_libraries import folders_of, open_library
from napari_simpleclick.modeling.torch_import import paused_collection

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="libraries of Linux")

LOADED = """
import sys
from pathlib import Path
from napari_simpleclick.modeling.torch_import import load_torch_libraries
load_torch_libraries()
assert "torch" not in sys.modules
assert "libtorch_cpu.so" in Path("/proc/self/maps").read_text()
import torch
assert torch.ones(2).sum() == 2
load_torch_libraries()
"""

BESIDE_A_WINDOW = """
import sys
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication
from napari_simpleclick.modeling.driver_conflict import load_triton_apart
app = QApplication([])
canvas = QOpenGLWidget()
canvas.show()
while not canvas.isValid():
    app.processEvents()
load_triton_apart()
assert "triton" not in sys.modules
from triton._C.libtriton import llvm
llvm.init_targets()
"""


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def test_it_is_imported_for_whoever_asks() -> None:
    run(
        "import sys\n"
        "from napari_simpleclick.modeling.torch_import import import_torch\n"
        "assert 'torch' not in sys.modules\n"
        "import_torch()\n"
        "assert 'torch' in sys.modules\n"
        "import_torch()\n"
    )


@LINUX
def test_libraries_of_torch_are_loaded_before_it() -> None:
    run(LOADED)


@LINUX
@pytest.mark.skipif(not folders_of("triton"), reason="Triton is not installed")
def test_triton_lives_with_a_window() -> None:
    run(BESIDE_A_WINDOW)


@LINUX
def test_a_library_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert not open_library(tmp_path / "libnone.so", os.RTLD_NOW)


def test_folders_of_a_package() -> None:
    import napari_simpleclick

    (folder,) = folders_of("napari_simpleclick")
    assert folder == Path(napari_simpleclick.__file__).parent
    assert folders_of("no_package_has_this_name") == []


def test_nothing_is_collected_meanwhile() -> None:
    assert gc.isenabled()
    with paused_collection():
        assert not gc.isenabled()
        with paused_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def fail_meanwhile() -> None:
    with paused_collection():
        raise KeyError("an import failed")


def test_collection_goes_on_after_an_error() -> None:
    with pytest.raises(KeyError):
        fail_meanwhile()
    assert gc.isenabled()
