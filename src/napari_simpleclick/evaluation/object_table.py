"""objects.csv: one row an object, written as it is measured, read to resume."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.evaluation.run import SampleResult
from napari_simpleclick.evaluation.samples import SliceClick
from napari_simpleclick.io.atomic import naming, replacing
from napari_simpleclick.types import Click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

FACTS: Final = (
    "model",
    "object",
    "seconds",
    "boundary_iou",
    "surface_mm",
    "clicks",
)
"""The first columns; boundary and surface are measured after the last click."""


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """A CSV file of results: `FACTS`, then iou_1 .. iou_k.

    A click reads ``+12,40`` (positive, row 12, column 40) or ``-12,40`` (negative), in
    a volume ``+3,12,40`` (on slice 3).

    Parameters
    ----------
    path : Path
        The file.
    n_clicks : int
        Clicks on each object, k.
    """

    path: Path
    n_clicks: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        ious = (f"iou_{k}" for k in range(1, self.n_clicks + 1))
        return (*FACTS, *ious)

    def has_rows(self) -> bool:
        """Say whether there is a file with more than names of columns."""
        return self.path.is_file() and self.path.read_bytes().count(b"\n") > 1

    def open(self) -> dict[str, dict[str, SampleResult]]:
        """Read what is there, and cut off a row that was never finished.

        Returns
        -------
        dict
            By model, then by name of the object, in the order of the file.

        Raises
        ------
        ValueError
            If the file has other columns, or a row is broken.
        """
        if not self.path.is_file():
            self._append([self.columns])
        whole, _, unfinished = self.path.read_bytes().rpartition(b"\n")
        if unfinished:
            self.path.write_bytes(whole + b"\n")
        rows = csv.reader(io.StringIO(whole.decode("utf-8"), newline=""))
        if tuple(next(rows, ())) != self.columns:
            raise ValueError(f"{self.path} has other columns, expected {self.columns}")
        results: dict[str, dict[str, SampleResult]] = {}
        for number, row in enumerate(filter(None, rows), start=2):
            try:
                model, result = self._read(row)
            except ValueError as error:
                raise ValueError(
                    f"{self.path}: row {number} is broken ({error}); delete it to "
                    "measure this object again"
                ) from error
            results.setdefault(model, {})[result.name] = result
        return results

    def append(self, model: str, result: SampleResult) -> None:
        """Add the result of one object, at once and as a whole row."""
        self._append([_row(model, result)])

    def put_in_order(self, results: Mapping[str, Sequence[SampleResult]]) -> None:
        """Sort the rows, which a cluster adds as they come.

        Parameters
        ----------
        results : mapping
            By model: all that the file holds, in the wanted order.
        """
        rows = [_row(model, one) for model, some in results.items() for one in some]
        text = _text([self.columns, *rows])
        if self.path.read_text(encoding="utf-8") != text:
            with replacing(self.path) as partial:
                partial.write_text(text, encoding="utf-8", newline="")

    def _read(self, row: list[str]) -> tuple[str, SampleResult]:
        if len(row) != len(self.columns):
            raise ValueError(f"{len(row)} cells, expected {len(self.columns)}")
        model, *rest = row
        return model, _result(rest)

    def _append(self, rows: Iterable[Iterable[str]]) -> None:
        with (
            naming(self.path),
            self.path.open("a", encoding="utf-8", newline="") as file,
        ):
            file.write(_text(rows))


def _text(rows: Iterable[Iterable[str]]) -> str:
    return "".join(_line(row) for row in rows)


def _line(row: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(row)  # it quotes what its own end of line, \r\n, holds
    return text.getvalue().removesuffix("\r\n") + "\n"


def _row(model: str, result: SampleResult) -> tuple[str, ...]:
    clicks = " ".join(_text_of(click) for click in result.clicks)
    ious = (str(iou) for iou in result.ious)  # the shortest that reads back equal
    measures = (result.seconds, result.boundary_iou, result.surface_mm)
    facts = (f"{measure:.6g}" for measure in measures)
    return (model, result.name, *facts, clicks, *ious)


def _result(row: list[str]) -> SampleResult:
    name, seconds, boundary, surface, clicks, *ious = row
    return SampleResult(
        name,
        np.array(ious, dtype=np.float32),
        tuple(_click(text) for text in clicks.split()),
        float(seconds),
        float(boundary),
        float(surface),
    )


def _text_of(click: Click) -> str:
    place = f"{click.index}," if isinstance(click, SliceClick) else ""
    return f"{'+' if click.is_positive else '-'}{place}{click.row:g},{click.col:g}"


def _click(text: str) -> Click:
    *index, row, col = text[1:].split(",")
    click = Click(float(row), float(col), is_positive=text[0] == "+")
    if not index:
        return click
    return SliceClick(click.row, click.col, click.is_positive, int(index[0]))
