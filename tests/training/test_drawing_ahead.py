from pathlib import Path

import numpy as np
import pytest
from skimage import io

from napari_simpleclick.cli import main
from napari_simpleclick.training.dataset import CanvasDataset
from napari_simpleclick.training.drawing_ahead import draw_ahead


@pytest.mark.parametrize("workers", [0, 2])
def test_canvases_come_by_number(workers: int) -> None:
    dataset = CanvasDataset(size=32)
    canvases = draw_ahead(dataset, 5, 3, workers)
    for number in (5, 8, 11):
        for part, expected in zip(next(canvases), dataset[number], strict=True):
            assert part.equal(expected)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("broken", ["images", "masks"])
def test_a_bad_file_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: int, broken: str
) -> None:
    for name in ("images", "masks"):
        (tmp_path / "data" / name).mkdir(parents=True)
        square = np.pad(np.ones((30, 30), np.uint8), 10)
        io.imsave(tmp_path / "data" / name / "a.png", square, check_contrast=False)
    bad = tmp_path / "data" / broken / "a.png"
    bad.write_bytes(bad.read_bytes()[:40])
    (tmp_path / "run.toml").write_text(
        "canvas_size = 48\ninput_sizes = [48]\nbatch_sizes = [1]\nusers = 1\n"
        f"steps = 1\ntensorboard = false\nworkers = {workers}\n"
        '[[sources]]\nkind = "folder"\npath = "data"\n'
    )
    command = ["train", str(tmp_path / "run.toml"), "--output", str(tmp_path / "run")]
    assert main(command) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"napari-simpleclick: {bad}")
    assert "Traceback" not in said
