"""TrainLog: means over some steps, in a CSV file and through the logger."""

from __future__ import annotations

import csv
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

logger = logging.getLogger(__name__)

CLICKS = (1, 2, 3, 5, 10)
"""Numbers of clicks whose mean IoU is noted."""

COLUMNS = (
    "step",
    "seconds",
    "loss",
    "gradient_norm",
    "learning_rate",
    *(f"iou_{clicks}" for clicks in CLICKS),
)


@dataclass(frozen=True, slots=True, eq=False)
class StepReport:
    """What one step tells the log.

    Parameters
    ----------
    loss, gradient_norm, learning_rate : float
        Of the step.
    clicks : Tensor
        (B, 2): number of clicks of a user, and IoU of the answer.
    """

    loss: float
    gradient_norm: float
    learning_rate: float
    clicks: Tensor


class TrainLog:
    """Means over some steps, appended to a CSV file and told to the logger.

    Parameters
    ----------
    path : Path
        The file; lines are added to an existing one.
    every : int
        Steps between two lines.
    """

    def __init__(self, path: Path, every: int) -> None:
        self.path = path
        self.every = every
        self.reports: list[StepReport] = []
        self.started = time.monotonic()
        if not path.exists():
            self._write(COLUMNS)

    def add(self, steps: int, report: StepReport) -> None:
        """Note the report of a step.

        Parameters
        ----------
        steps : int
            Steps done, this one included.
        report : StepReport
            What it reported.
        """
        self.reports.append(report)
        if steps % self.every:
            return
        seconds = time.monotonic() - self.started
        values = [str(steps), f"{seconds:.1f}", *(f"{x:.5g}" for x in self._means())]
        self._write(values)
        pairs = zip(COLUMNS, values, strict=True)
        logger.info("  ".join(f"{name} {value}" for name, value in pairs))
        self.reports = []

    def _means(self) -> tuple[float, ...]:
        count = len(self.reports)
        clicks = torch.cat([report.clicks for report in self.reports])
        return (
            sum(report.loss for report in self.reports) / count,
            sum(report.gradient_norm for report in self.reports) / count,
            self.reports[-1].learning_rate,
            *(clicks[clicks[:, 0] == k, 1].mean().item() for k in CLICKS),
        )

    def _write(self, values: Sequence[str]) -> None:
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(values)
