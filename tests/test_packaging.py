"""Wheel, source distribution and editable install all give a working plugin."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    return folder


def validate(path: Path | None) -> str:
    """Run `npe2 validate --imports` on the package found first on the path."""
    code = (
        "import napari_simpleclick, runpy, sys\n"
        "print(napari_simpleclick.__file__)\n"
        "sys.argv = ['npe2', 'validate', '--imports', 'napari-simpleclick']\n"
        "runpy.run_module('npe2', run_name='__main__')\n"
    )
    environment = dict(os.environ) | ({"PYTHONPATH": str(path)} if path else {})
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "valid" in done.stdout
    return done.stdout.splitlines()[0]


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_installed_distribution_is_a_valid_plugin(
    kind: str, built: Path, tmp_path: Path
) -> None:
    (distribution,) = built.glob(kind)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run(
        [*install, "--no-build-isolation", "--target", tmp_path, distribution],
        check=True,
    )
    assert validate(tmp_path).startswith(str(tmp_path))
    weights = tmp_path / "napari_simpleclick" / "weights"
    sizes = [file.stat().st_size for file in weights.glob("*.safetensors")]
    assert len(sizes) == 1
    assert sizes[0] <= 16 * 1024**2
    assert [file.stem for file in weights.glob("*.npz")] == [
        f"{file.stem}.answers" for file in weights.glob("*.safetensors")
    ]


def test_checkout_is_a_valid_plugin() -> None:
    assert validate(None).startswith(str(ROOT))


def test_manifest_stands_at_the_root_and_in_every_distribution(built: Path) -> None:
    manifest = (ROOT / "napari.yaml").read_text()
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("napari_simpleclick/napari.yaml").decode() == manifest
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith("src/napari_simpleclick/napari.yaml") for name in names)


def test_the_prompt_of_windows_understands_every_install_command() -> None:
    quoted = [
        path.name
        for path in (ROOT / "src").rglob("*.py")
        if "pip install '" in path.read_text(encoding="utf-8")
    ]
    assert not quoted  # there, single quotes are a part of the name
