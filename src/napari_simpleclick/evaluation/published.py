"""Figures that papers report, to be read beside one's own measurements."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = "Liu et al., SimpleClick, ICCV 2023"
NOTE: Final = (
    "The two FocalClick rows of mIoU carry no name in the copy that they were taken "
    "from, and were assigned by their order."
)

_COLUMN: Final = re.compile(r"(?P<dataset>[A-Za-z]+)(?P<miou>_miou)?(?P<at>\d+)")
_VARIANTS: Final = {
    "ViT-xT": "xtiny",
    "ViT-B": "base",
    "ViT-L": "large",
    "ViT-H": "huge",
}
_SAME_DATA: Final = {"BraTS_volumes": "BraTS", "OAIZIB_volumes": "OAIZIB"}


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """One number of a table in a paper.

    Parameters
    ----------
    method : str
        Name of the method and its backbone.
    training_data : str
        What the model was trained on.
    dataset : str
        As `open_dataset` calls it.
    measure : {"miou", "noc"}
        mIoU@k as a fraction, or number of clicks to an IoU.
    at : int
        The clicks k, or the IoU in percent.
    value : float
        The figure.
    """

    method: str
    training_data: str
    dataset: str
    measure: Literal["miou", "noc"]
    at: int
    value: float


def published_figures(dataset: str) -> tuple[PublishedFigure, ...]:
    """Return what `SOURCE` reports of a data set, in the order of its tables.

    Parameters
    ----------
    dataset : str
        A name of `open_dataset`; the volumes of a data set stand for its slices, which
        may be others than the published ones.

    Returns
    -------
    tuple of PublishedFigure
        Empty where nothing is reported.
    """
    name = _SAME_DATA.get(dataset, dataset)
    tables = resources.files("napari_simpleclick.evaluation") / "published"
    return tuple(
        figure
        for table in ("medical.csv", "noc.csv")
        for row in csv.DictReader((tables / table).read_text("utf-8").splitlines())
        for figure in _figures(row)
        if figure.dataset == name
    )


@dataclass(frozen=True, slots=True)
class PublishedCost:
    """One row of a table of what methods cost.

    Parameters
    ----------
    backbone : str
        As the paper calls it.
    variant : str or None
        The same network as a key of `VARIANTS`, None for other methods.
    size : int
        Side of the input in pixels.
    parameters, flops, memory : float
        Numbers, operations and bytes.
    seconds_per_click : float
        On one GPU of the authors.
    """

    backbone: str
    variant: str | None
    size: int
    parameters: float
    flops: float
    memory: float
    seconds_per_click: float


def published_costs() -> tuple[PublishedCost, ...]:
    """Return what `SOURCE` reports of the cost of methods, in the table's order."""
    table = resources.files("napari_simpleclick.evaluation") / "published" / "cost.csv"
    return tuple(
        PublishedCost(
            row["backbone"],
            _VARIANTS.get(row["backbone"]),
            int(row["input"]),
            _scaled(row["params_M"], 6),
            _scaled(row["flops_G"], 9),
            _scaled(row["memory_G"], 9),
            _scaled(row["seconds_per_click_ms"], -3),
        )
        for row in csv.DictReader(table.read_text("utf-8").splitlines())
    )


def _scaled(text: str, power: int) -> float:
    return float(f"{text}e{power}")


def _figures(row: dict[str, str]) -> Iterator[PublishedFigure]:
    method = row.get("model") or f"{row['method']} {row['backbone']}"
    for column, text in row.items():
        match = _COLUMN.fullmatch(column)
        if match is None or not text:
            continue
        is_miou = match["miou"] is not None
        yield PublishedFigure(
            method,
            row["train"],
            match["dataset"],
            "miou" if is_miou else "noc",
            int(match["at"]),
            round(float(text) / 100, 6) if is_miou else float(text),
        )
