"""Files that a user's command may not write, or has to keep to one's own eyes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ordinary_user import MAIN, run_as_ordinary_user

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
