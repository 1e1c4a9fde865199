"""CsvFile: rows by step, that a resumed run carries on."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from napari_simpleclick.io.atomic import naming, replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class CsvFile:
    """A CSV file whose first column is the step.

    Parameters
    ----------
    path : Path
        The file. Rows of an existing one are kept up to `step`.
    columns : sequence of str
        Names of all columns.
    step : int
        Steps done; later rows are of a run that was cut short, and are made again.
    """

    def __init__(self, path: Path, columns: Sequence[str], step: int = 0) -> None:
        self.path = path
        rows = _rows(path) if step and path.exists() else []
        kept = [row for row in rows[1:] if row and int(row[0]) <= step]
        with replacing(path) as partial:
            _write(partial, [rows[0] if rows else columns, *kept])

    def add(self, row: Sequence[str]) -> None:
        """Append one row, its step first."""
        with naming(self.path):
            _write(self.path, [row])


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
