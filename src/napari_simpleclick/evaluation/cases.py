"""Pictures of the worst and best objects of a study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.evaluation.run import SampleResult, evaluate_sample
from napari_simpleclick.evaluation.samples import pixel_size_of
from napari_simpleclick.inference.intensity import to_display
from napari_simpleclick.io.overlay import draw_overlay, save_row
from napari_simpleclick.types import Prediction, Roi

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.evaluation.lockstep import ClickPredictor
    from napari_simpleclick.evaluation.models import EvaluatedModel
    from napari_simpleclick.evaluation.samples import Dataset
    from napari_simpleclick.types import Click, Sample

SHOWN_CLICKS: Final = 5
_EACH: Final = 4
_MARGIN: Final = 0.5
_MIN_SIDE: Final = 64
_HEIGHT: Final = 240


@dataclass(frozen=True, slots=True)
class Case:
    """A picture of one object: left its annotation, right prediction and clicks.

    Parameters
    ----------
    name : str
        The sample.
    iou : float
        In [0, 1], after `n_clicks` clicks.
    n_clicks : int
        Clicks shown.
    picture : Path
        A PNG file.
    """

    name: str
    iou: float
    n_clicks: int
    picture: Path


def draw_cases(
    dataset: Dataset,
    model: EvaluatedModel,
    results: Sequence[SampleResult],
    folder: Path,
) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """Draw the objects with the least and the greatest IoU after a few clicks.

    Parameters
    ----------
    dataset : Dataset
        Where the objects are.
    model : EvaluatedModel
        It predicts these objects again.
    results : sequence of SampleResult
        How the model did.
    folder : Path
        It gets a PNG file for each.

    Returns
    -------
    worst, best : tuple of Case
        Worst first, and best first; no object is in both.
    """
    n_clicks = min(SHOWN_CLICKS, len(results[0].ious))
    ranked = sorted(results, key=lambda result: float(result.ious[n_clicks - 1]))
    n_each = min(_EACH, len(ranked) // 2) or 1
    worst, best = ranked[:n_each], ranked[n_each:][-n_each:][::-1]
    samples = dataset.find(result.name for result in (*worst, *best))
    folder.mkdir(parents=True, exist_ok=True)

    def draw(result: SampleResult, file: str) -> Case:
        picture = folder / f"{file}.png"
        sample = samples[result.name]
        _draw(model.predictor, sample, n_clicks, picture)
        return Case(result.name, float(result.ious[n_clicks - 1]), n_clicks, picture)

    return (
        tuple(draw(result, f"worst_{i}") for i, result in enumerate(worst, start=1)),
        tuple(draw(result, f"best_{i}") for i, result in enumerate(best, start=1)),
    )


def _draw(
    predictor: ClickPredictor, sample: Sample, n_clicks: int, picture: Path
) -> None:
    last: list[Prediction] = []
    result = evaluate_sample(
        predictor, sample, n_clicks, lambda s, c, prediction, i: last.append(prediction)
    )
    mask = last[-1].mask(predictor.threshold)
    box = surroundings(sample.mask | mask, result.clicks)
    image = to_display(sample.image) if sample.image.dtype != np.uint8 else sample.image
    panels = []
    for labels, clicks in ((sample.mask, ()), (mask, result.clicks)):
        panels.append(
            draw_overlay(
                image[box.slices].astype(np.uint8, copy=False),
                labels[box.slices].astype(np.uint8),
                [
                    replace(c, row=c.row - box.row_min, col=c.col - box.col_min)
                    for c in clicks
                ],
                pixel_size=pixel_size_of(sample) or (1.0, 1.0),
                height=_HEIGHT,
            )
        )
    save_row(picture, panels)


def surroundings(mask: NDArray[np.bool_], clicks: Sequence[Click]) -> Roi:
    """Box of a mask and of clicks with a margin, about square, within the image.

    Parameters
    ----------
    mask : ndarray
        (H, W), bool, not empty.
    clicks : sequence of Click
        Whole coordinates.

    Returns
    -------
    Roi
        In pixels of the image.
    """
    rows, cols = np.nonzero(mask)
    rows = np.append(rows, [int(click.row) for click in clicks])
    cols = np.append(cols, [int(click.col) for click in clicks])
    extent = max(np.ptp(rows), np.ptp(cols)) + 1
    half = max((1 + _MARGIN) * extent, _MIN_SIDE) / 2
    ends = []
    for positions, size in zip((rows, cols), mask.shape, strict=True):
        centre = (positions.min() + positions.max()) / 2
        ends += [max(int(centre - half), 0), min(int(centre + half), size - 1)]
    return Roi(*ends)
