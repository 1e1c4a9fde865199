"""What a dock shows of an evaluation: its progress, its objects, its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.evaluation.metrics import (
    miou_at_k,
    number_of_clicks,
    number_of_failures,
)
from napari_simpleclick.inference.transforms import whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.evaluation.run import SampleResult
    from napari_simpleclick.plugin.evaluation_objects import SliceObject
    from napari_simpleclick.plugin.packed_mask import PackedMask

NOC_TARGETS: Final = (0.85, 0.9)
"""IoUs whose number of clicks the dock shows, as the papers do."""


class StoppedError(Exception):
    """The user wants no more of what a worker does."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, or the pictures of its report.

    Parameters
    ----------
    clicks : int
        Clicks that are answered.
    all_clicks : int
        Clicks to answer; 0 while objects are still being looked for.
    seconds : float
        Time since the first click.
    """

    clicks: int = 0
    all_clicks: int = 0
    seconds: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time for the clicks to come at the pace so far; None before the first."""
        if not self.clicks:
            return None
        return self.seconds / self.clicks * (self.all_clicks - self.clicks)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredObject:
    """An object that the robot user has segmented.

    Parameters
    ----------
    found : SliceObject
        Which one.
    result : SampleResult
        How it went.
    answer : PackedMask
        Mask after the last click.
    shape : tuple of int
        Height and width of the slice, in pixels.
    """

    found: SliceObject
    result: SampleResult
    answer: PackedMask
    shape: tuple[int, int]

    @property
    def iou(self) -> float:
        """IoU after the last click."""
        return float(self.result.ious[-1])

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Mask after the last click: (H, W), bool."""
        return self.answer.within(whole(self.shape))

    def clicks_to(self, target: float) -> int | None:
        """Clicks that it took to an IoU; None where it never got there."""
        reached = np.flatnonzero(self.result.ious >= target)
        return int(reached[0]) + 1 if len(reached) else None


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What papers report of a data set.

    Parameters
    ----------
    n_objects : int
        Objects measured.
    miou : ndarray
        (k,), float64 in [0, 1]: mIoU@1 .. mIoU@k.
    noc : mapping of float to float
        Mean number of clicks to each of `NOC_TARGETS`.
    failures : mapping of float to int
        Objects that did not reach it.
    """

    n_objects: int
    miou: NDArray[np.float64]
    noc: Mapping[float, float]
    failures: Mapping[float, int]


def figures_of(objects: Sequence[MeasuredObject]) -> Figures | None:
    """Condense what is measured so far; None where nothing is."""
    if not objects:
        return None
    ious = np.stack([measured.result.ious for measured in objects])
    k = ious.shape[1]
    return Figures(
        n_objects=len(objects),
        miou=miou_at_k(ious),
        noc={t: float(number_of_clicks(ious, t, k).mean()) for t in NOC_TARGETS},
        failures={t: number_of_failures(ious, t, k) for t in NOC_TARGETS},
    )


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationState:
    """What a dock shows of an evaluation.

    Parameters
    ----------
    is_running : bool
        Whether the robot user clicks.
    is_saving : bool
        Whether a report is being saved.
    progress : Progress
        How far it is.
    figures : Figures or None
        Of the objects that are done.
    """

    is_running: bool = False
    is_saving: bool = False
    progress: Progress = Progress()
    figures: Figures | None = None

    @property
    def is_busy(self) -> bool:
        """Whether there is something to wait for, or to cancel."""
        return self.is_running or self.is_saving
