"""Files that a user's command may not write, or has to keep to one's own eyes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.ordinary_user import MAIN, run_as_ordinary_user
from tests.training.test_saved_state import in_little_room

MISSING = ["missing.nii.gz", "--clicks", "clicks.json"]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("mask.nii.gz", ["segment", *MISSING]),
        ("sheet.png", ["contact-sheet", "--count", "0"]),
        ("figures.json", ["profile", "--variants", "none"]),
    ],
)
def test_a_write_protected_file_is_refused_before_all_else(
    name: str, command: list[str], tmp_path: Path
) -> None:
    output = tmp_path / name
    output.write_text("precious")
    output.chmod(0o444)
    done = run_as_ordinary_user(MAIN, *command, "--output", output)
    assert done.returncode == 1
    told = f"napari-simpleclick: {output} cannot be written: Permission denied\n"
    assert done.stderr == told
    assert output.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes of POSIX")
@pytest.mark.parametrize(
    "name",
    [
        "loop.nii.gz",
        "loop.nii.gz/mask.nii.gz",
        "forbidden/new/mask.nii.gz",
        "n" * 256 + ".nii.gz",
        "new/" + "n" * 256 + ".nii.gz",
        "n" * 256 + "/mask.nii.gz",
    ],
)
def test_what_cannot_be_written_is_named_before_all_else(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "loop.nii.gz").symlink_to("loop.nii.gz")
    (tmp_path / "forbidden").mkdir(mode=0o000)
    done = run_as_ordinary_user(MAIN, "segment", *MISSING, "--output", tmp_path / name)
    assert done.returncode == 1
    told = f"napari-simpleclick: {tmp_path / name} cannot be written: "
    assert done.stderr.startswith(told)
    assert len(done.stderr.splitlines()) == 1
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="it keeps the folder one is in")
def test_a_current_folder_that_is_gone_is_told_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    gone = "import os, sys; os.chdir(sys.argv.pop()); os.rmdir(os.getcwd())\n"
    files = [*MISSING, "--output", "mask.nii.gz", tmp_path / "gone"]
    done = run_as_ordinary_user(gone + MAIN, "segment", *files)
    assert done.returncode == 1
    assert done.stderr.startswith("napari-simpleclick: mask.nii.gz cannot be written: ")


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_leaves_no_half_of_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "ventricles.png"
    done = in_little_room(10_000, ["demo", "--output", tmp_path])
    assert done.returncode == 1
    told = f"napari-simpleclick: {picture} cannot be written: File too large"
    assert done.stderr.splitlines()[-1] == told
    assert [path.name for path in tmp_path.iterdir()] == ["ventricles.nii.gz"]


@pytest.mark.parametrize("name", ["ventricles.png", "summary.txt"])
def test_no_result_of_the_demo_is_computed_where_one_cannot_be_written(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / name).mkdir()
    done = run_as_ordinary_user(MAIN, "demo", "--output", tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path / name} is a folder; expected a file name" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
