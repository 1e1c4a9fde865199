"""Files that appear whole or not at all, as those see it who ask for them."""

import os
import stat
from pathlib import Path

import pytest

from napari_simpleclick.io.atomic import check_writable, replacing
from tests.ordinary_user import run_as_ordinary_user


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
        ("n" * 256, "cannot be written: "),
    ],
)
def test_what_cannot_be_written_is_refused_by_its_own_name(tmp_path, name, reason):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=f"{name} {reason}"):
        check_writable(tmp_path / name)
    with (
        pytest.raises(OSError, match=f"{name} {reason}"),
        replacing(tmp_path / name) as partial,
    ):
        partial.write_text("whole")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["n" * 248 + ".nii.gz", "\u00e9" * 120 + ".ome.tiff"])
def test_every_name_that_the_system_takes_is_written(tmp_path, name):
    check_writable(tmp_path / name)
    with replacing(tmp_path / name) as partial:
        assert partial.name.endswith("".join(Path(name).suffixes))
        partial.write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.name == "nt", reason="no other modes than read-only there")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o777])
def test_a_file_that_is_replaced_keeps_its_mode_and_is_private_until_then(
    tmp_path, mode
):
    target, link = tmp_path / "a.txt", tmp_path / "link.txt"
    target.write_text("old")
    target.chmod(mode)
    link.symlink_to(target)
    with replacing(link) as partial:
        partial.write_text("whole")
        assert stat.S_IMODE(partial.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert target.read_text() == "whole"
    assert link.is_symlink()


def test_where_there_are_no_modes_files_are_written_all_the_same(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    target.write_text("old")
    monkeypatch.setattr(Path, "chmod", refuse)
    with replacing(target) as partial:
        partial.write_text("whole")
    assert target.read_text() == "whole"


def test_a_write_protected_file_is_not_replaced(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("precious")
    target.chmod(0o444)
    code = (
        "import sys\nfrom napari_simpleclick.io.atomic import replacing\n"
        "with replacing(sys.argv[1]) as partial: partial.write_text('whole')"
    )
    done = run_as_ordinary_user(code, target)
    said = f"OSError: {target} cannot be written: Permission denied"
    assert done.stderr.splitlines()[-1] == said
    assert target.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_without_permission_is_told_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(OSError, match=r"a\.txt cannot be written: Permission denied"):
        check_writable(tmp_path / "a.txt")


def test_a_failed_write_names_the_file_that_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(OSError, match=r"^a\.txt cannot be written: "),
        replacing("a.txt"),
    ):
        Path("a.txt").mkdir()  # as another program might, meanwhile
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="pipes are no files there")
def test_what_is_no_ordinary_file_is_left_alone(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="pipe is no ordinary file"):
        check_writable(pipe)
    with pytest.raises(OSError, match="pipe is no ordinary file"), replacing(pipe):
        pass
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_told_of_the_file(tmp_path):
    with (
        pytest.raises(OSError, match=r"a\.txt cannot be written: No space left"),
        replacing(tmp_path / "a.txt"),
        open("/dev/full", "w") as full,
    ):
        full.write("whole")
    assert not list(tmp_path.iterdir())
