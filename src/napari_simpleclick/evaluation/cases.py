"""Pictures of the worst and best objects of a study."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from napari_simpleclick.evaluation.case_picture import draw_view, view_after
from napari_simpleclick.evaluation.metrics import dice_of_iou

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_simpleclick.evaluation.case_picture import View
    from napari_simpleclick.evaluation.models import EvaluatedModel
    from napari_simpleclick.evaluation.run import SampleResult
    from napari_simpleclick.evaluation.samples import Dataset

SHOWN_CLICKS: Final = 5
_EACH: Final = 4


class CaseProgress(Protocol):
    """Called after every click that is made for a picture; it may raise, to stop."""

    def __call__(self, clicks: int, all_clicks: int) -> None:
        """Take note of the clicks made, and of those that there will be."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """A picture of one object: left its annotation, right prediction and clicks.

    Parameters
    ----------
    name : str
        The sample.
    score : float
        Of the object, in [0, 1], after `n_clicks` clicks: what the data set measures.
    n_clicks : int
        Clicks on the object; of a volume, the picture shows those on one slice.
    picture : Path
        A PNG file.
    index : int or None
        The slice of a volume.
    slice_dice : float or None
        Dice coefficient on this slice alone.
    """

    name: str
    score: float
    n_clicks: int
    picture: Path
    index: int | None = None
    slice_dice: float | None = None


def draw_cases(
    dataset: Dataset,
    model: EvaluatedModel,
    results: Sequence[SampleResult],
    folder: Path,
    progress: CaseProgress | None = None,
) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """Draw the objects with the least and the greatest score after a few clicks.

    Parameters
    ----------
    dataset : Dataset
        Where the objects are; those that it has no more are left out.
    model : EvaluatedModel
        It predicts these objects again.
    results : sequence of SampleResult
        How the model did.
    folder : Path
        It gets a PNG file for each.
    progress : CaseProgress or None
        Called after every click.

    Returns
    -------
    worst, best : tuple of Case
        Worst first, and best first; no object is in both.
    """
    n_clicks = min(SHOWN_CLICKS, len(results[0].ious))
    worst, best = _chosen(results, n_clicks)
    files = {
        result.name: folder / f"{kind}_{place}.png"
        for kind, some in (("worst", worst), ("best", best))
        for place, result in enumerate(some, start=1)
    }
    folder.mkdir(parents=True, exist_ok=True)
    views: dict[str, View] = {}
    for number, sample in enumerate(dataset.find(files)):
        tell = partial(_tell, progress, number * n_clicks, len(files) * n_clicks)
        views[sample.name] = view_after(model.predictor, sample, n_clicks, tell)
        draw_view(views[sample.name], files[sample.name])
        tell(n_clicks)  # a volume without an error has fewer

    def case(result: SampleResult) -> Case:
        view, reached = views[result.name], result.ious[n_clicks - 1]
        score = reached if dataset.measure == "iou" else dice_of_iou(reached)
        dice = None if view.index is None else view.dice
        picture = files[result.name]
        return Case(result.name, float(score), n_clicks, picture, view.index, dice)

    return (
        tuple(case(result) for result in worst if result.name in views),
        tuple(case(result) for result in best if result.name in views),
    )


def _chosen(
    results: Sequence[SampleResult], n_clicks: int
) -> tuple[list[SampleResult], list[SampleResult]]:
    ranked = sorted(results, key=lambda result: float(result.ious[n_clicks - 1]))
    n_each = min(_EACH, len(ranked) // 2) or 1
    return ranked[:n_each], ranked[n_each:][-n_each:][::-1]


def _tell(
    progress: CaseProgress | None, before: int, all_clicks: int, clicks: int
) -> None:
    if progress is not None:
        progress(before + clicks, all_clicks)
