"""The worst and best cases of a model, for report.html."""

from __future__ import annotations

import base64
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from napari_simpleclick.evaluation.report import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_simpleclick.evaluation.cases import Case

_CASE_NOTES: Final = MappingProxyType(
    {
        "iou": "Left the annotation, right the prediction with its clicks.",
        "dice": "Of the clicked slices that with the most wrong pixels: left the "
        "annotation, right the prediction with the clicks on this slice.",
    }
)


def case_blocks(
    name: str,
    measure: Literal["iou", "dice"],
    worst: Sequence[Case],
    best: Sequence[Case],
) -> str:
    """Lay out the cases of one model as HTML.

    Parameters
    ----------
    name : str
        The model.
    measure : {"iou", "dice"}
        As of its `Dataset`.
    worst, best : sequence of Case
        In the order of the page; their pictures become part of it.
    """
    shown = [("Worst", worst), ("Best", best)]
    blocks = [
        f"<h2>{heading} of {escape(name)}, after {cases[0].n_clicks} "
        f"click{'s' * (cases[0].n_clicks > 1)}</h2>"
        f"<p class=note>{_CASE_NOTES[measure]}</p>"
        f"<div class=cases>{''.join(_case(case, measure) for case in cases)}</div>"
        for heading, cases in shown
        if cases
    ]
    return "\n".join(blocks)


def _case(case: Case, measure: Literal["iou", "dice"]) -> str:
    content = base64.b64encode(case.picture.read_bytes()).decode()
    caption = f"{escape(case.name)}: {NAMES[measure]} {100 * case.score:.1f} %"
    if case.index is not None and case.slice_dice is not None:
        caption += f" (slice {case.index}: {100 * case.slice_dice:.1f} %)"
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{content}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
