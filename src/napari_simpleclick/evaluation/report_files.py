"""The files of a report: figures, curves, pictures, and the page that shows them."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from napari_simpleclick.evaluation.cases import draw_cases
from napari_simpleclick.evaluation.figures import check_available, save_curves
from napari_simpleclick.evaluation.page import page
from napari_simpleclick.evaluation.report import report
from napari_simpleclick.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_simpleclick.evaluation.cases import CaseProgress
    from napari_simpleclick.evaluation.run import SampleResult
    from napari_simpleclick.evaluation.study import Study

FIGURES: Final = "report.json"
PAGE: Final = "report.html"
REPORT_FILES: Final = (FIGURES, PAGE, "curves.png", "curves.svg", "cases")
"""What a report consists of, besides objects.csv."""


def write_report(
    study: Study,
    results: Mapping[str, Sequence[SampleResult]],
    progress: CaseProgress | None = None,
) -> dict[str, Any]:
    """Write `REPORT_FILES` into the folder of a study, the figures first.

    Parameters
    ----------
    study : Study
        What was run.
    results : mapping
        What `Study.run` returned.
    progress : CaseProgress or None
        Called after every click that is made for a picture of a case; it may raise, to
        stop.

    Returns
    -------
    dict
        What `report` returned.

    Raises
    ------
    ImportError
        If matplotlib is not installed; only the figures are there then.
    OSError
        If a file cannot be written.
    """
    document = report(study, results)
    _write(study.output / FIGURES, json.dumps(document, indent=2) + "\n")
    check_available()
    save_curves(study.output / "curves", document, results)
    cases = {}
    for number, model in enumerate(study.models):
        cases[model.name] = draw_cases(
            study.dataset,
            model,
            results[model.name],
            study.output / "cases" / model.name,
            partial(_tell, progress, number, len(study.models)),
        )
    _write(study.output / PAGE, page(document, study.output / "curves.svg", cases))
    return document


def _write(file: Path, text: str) -> None:
    with replacing(file) as partial_file:
        partial_file.write_text(text, encoding="utf-8")


def _tell(
    progress: CaseProgress | None, number: int, n: int, clicks: int, all_clicks: int
) -> None:
    """Report the clicks for one of n models as part of those for all."""
    if progress is not None:
        progress(number * all_clicks + clicks, n * all_clicks)
