"""TrainLog: means over some steps, in files and through the logger."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from napari_simpleclick.training.csv_file import CsvFile
from napari_simpleclick.training.validation import mean_curve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor
    from torch.utils.tensorboard import SummaryWriter

    from napari_simpleclick.training.train_state import TrainState

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

VALIDATION_COLUMNS = ("step", "data", *(f"miou_{clicks}" for clicks in CLICKS))

LOG_NAME = "log.csv"
VALIDATION_NAME = "validation.csv"
BOARD_NAME = "tensorboard"


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
    """Means over some steps, in CSV files, for TensorBoard and told to the logger.

    Parameters
    ----------
    output : Path
        Folder of the files.
    state : TrainState
        Of the first process. Keeps what was noted since the last line, so that a
        resumed run writes the same lines; later lines of the files are dropped.
    every : int
        Steps between two lines.
    tensorboard : bool
        Write for TensorBoard too.
    validates : bool
        Whether there will be validations.

    Raises
    ------
    ImportError
        If TensorBoard is asked for and not installed.
    """

    def __init__(
        self,
        output: Path,
        state: TrainState,
        *,
        every: int,
        tensorboard: bool = False,
        validates: bool = True,
    ) -> None:
        self.state = state
        self.every = every
        self.steps = CsvFile(output / LOG_NAME, COLUMNS, state.step)
        self.validations = (
            CsvFile(output / VALIDATION_NAME, VALIDATION_COLUMNS, state.step)
            if validates
            else None
        )
        self.board = _board(output / BOARD_NAME, state.step) if tensorboard else None

    def add(self, report: StepReport) -> None:
        """Note the report of the step that was just done."""
        noted = (report.loss, report.gradient_norm, report.learning_rate, report.clicks)
        self.state.pending.append(noted)
        if self.state.step % self.every == 0:
            self._write_line()
            self.state.pending.clear()

    def add_validation(self, curves: Mapping[str, NDArray[np.float64]]) -> None:
        """Note a validation.

        Parameters
        ----------
        curves : mapping
            Name of a data set to its mIoU after 1, 2, ... clicks.
        """
        step = self.state.step
        for name, curve in (*curves.items(), ("mean", mean_curve(curves))):
            ious = [float(curve[k - 1]) for k in CLICKS]
            if self.validations is not None:
                values = [f"{iou:.5f}" for iou in ious]
                self.validations.add([str(step), name, *values])
            shown = "  ".join(f"{iou:.3f}" for iou in ious)
            logger.info("step %d  mIoU@%s  %s  %s", step, CLICKS, shown, name)
            for k, iou in zip(CLICKS, ious, strict=True):
                self._to_board(f"miou_{k}/{name}", iou)

    def close(self) -> None:
        """Finish the files."""
        if self.board is not None:
            self.board.close()

    def _write_line(self) -> None:
        means = self._means()
        values = [
            str(self.state.step),
            f"{self.state.seconds:.1f}",
            *(f"{mean:.5g}" for mean in means),
        ]
        self.steps.add(values)
        pairs = zip(COLUMNS, values, strict=True)
        logger.info("  ".join(f"{name} {value}" for name, value in pairs))
        for name, mean in zip(COLUMNS[2:], means, strict=True):
            self._to_board(f"training/{name}", mean)

    def _to_board(self, name: str, value: float) -> None:
        if self.board is not None:
            self.board.add_scalar(name, value, self.state.step)

    def _means(self) -> tuple[float, ...]:
        losses, norms, rates, all_clicks = zip(*self.state.pending, strict=True)
        clicks = torch.cat(all_clicks)
        return (
            sum(losses) / len(losses),
            sum(norms) / len(norms),
            rates[-1],
            *(clicks[clicks[:, 0] == k, 1].mean().item() for k in CLICKS),
        )


def _board(folder: Path, step: int) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ImportError(
            "the log for TensorBoard needs the package tensorboard: "
            'pip install "napari-simpleclick[train]", or tensorboard = false'
        ) from error
    return SummaryWriter(str(folder), purge_step=step + 1)
