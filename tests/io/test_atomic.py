"""Files that appear whole or not at all, as those see it who ask for them."""

import re
from pathlib import Path

import pytest

from napari_simpleclick.io.atomic import check_writable, replacing


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_folders_are_made_by_writing_alone(tmp_path):
    target = tmp_path / "new" / "deep" / "a.txt"
    check_writable(target)
    assert not list(tmp_path.iterdir())
    with replacing(target) as partial:
        partial.write_text("whole")
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]
    check_writable(target)
    assert target.read_text() == "whole"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder", "is a folder; expected a file name"),
        ("file/a.txt", "cannot be written: "),  # the system's own words follow
        ("n" * 250, "cannot be written: "),
    ],
)
def test_what_cannot_be_written_is_refused_by_its_own_name(tmp_path, name, reason):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=f"{name} {reason}"):
        check_writable(tmp_path / name)


def test_a_folder_without_permission_is_told_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(OSError, match=r"a\.txt cannot be written: Permission denied"):
        check_writable(tmp_path / "a.txt")


def test_a_failed_write_names_the_file_that_was_asked_for(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with (
        pytest.raises(OSError, match=rf"^{re.escape(str(folder))} cannot be written: "),
        replacing(folder) as partial,
    ):
        partial.write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_told_of_the_file(tmp_path):
    with (
        pytest.raises(OSError, match=r"a\.txt cannot be written: No space left"),
        replacing(tmp_path / "a.txt"),
        open("/dev/full", "w") as full,
    ):
        full.write("whole")
    assert not list(tmp_path.iterdir())
