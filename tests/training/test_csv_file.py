from pathlib import Path

from napari_simpleclick.training.csv_file import CsvFile


def test_rows_after_the_step_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = CsvFile(path, ("step", "loss"))
    for step in ("2", "4", "6"):
        log.add([step, "0.5"])
    CsvFile(path, ("step", "loss"), 4).add(["6", "0.4"])
    assert path.read_text().splitlines() == ["step,loss", "2,0.5", "4,0.5", "6,0.4"]


def test_a_new_run_writes_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    CsvFile(path, ("step", "loss")).add(["2", "1"])
    CsvFile(path, ("step", "loss"))
    assert path.read_text().splitlines() == ["step,loss"]


def test_a_last_line_cut_short_is_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n2,0.5\n4,0.")
    CsvFile(path, ("step", "loss"), 2)
    assert path.read_text().splitlines() == ["step,loss", "2,0.5"]
