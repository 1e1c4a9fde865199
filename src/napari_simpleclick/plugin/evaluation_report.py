"""Saves an evaluation as the evaluate command does: objects.csv and report.json."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from napari_simpleclick.evaluation.models import EvaluatedModel
from napari_simpleclick.evaluation.object_table import ObjectTable
from napari_simpleclick.evaluation.report import report
from napari_simpleclick.evaluation.samples import Dataset
from napari_simpleclick.evaluation.study import Study
from napari_simpleclick.io.atomic import replacing
from napari_simpleclick.modeling.catalog import list_models, resolve
from napari_simpleclick.plugin.shared_predictor import SharedPredictor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_simpleclick.evaluation.lockstep import ClickPredictor
    from napari_simpleclick.evaluation.run import SampleResult

DATASET = "napari"
FILES = ("objects.csv", "report.json")


def save_report(
    folder: Path,
    model: str,
    predictor: ClickPredictor,
    settings: dict[str, Any],
    results: Sequence[SampleResult],
) -> None:
    """Write both files into a folder that has neither.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    model : str
        A name of the catalogue, whose file's digest is noted, or any other.
    predictor : ClickPredictor
        What was evaluated.
    settings : dict
        All that the results depend on besides the model; plain JSON.
    results : sequence of SampleResult
        At least one.

    Raises
    ------
    FileExistsError
        If the folder holds another report.
    OSError
        If it cannot be written to.
    """
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise FileExistsError(
            f"{folder} holds {' and '.join(there)} already: choose another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    runtime = predictor.runtime if isinstance(predictor, SharedPredictor) else None
    evaluated = EvaluatedModel(
        model, predictor, _digest(model), None if runtime is None else runtime.name
    )
    clicks = len(results[0].ious)
    study = Study(Dataset(DATASET, ()), (evaluated,), folder, settings, clicks)
    table = ObjectTable(folder / "objects.csv", clicks)
    table.open()
    for result in results:
        table.append(model, result)
    text = json.dumps(report(study, {model: list(results)}), indent=2) + "\n"
    with replacing(folder / "report.json") as partial:
        partial.write_text(text, encoding="utf-8")


def _digest(model: str) -> str | None:
    if model not in (entry.name for entry in list_models() if entry.is_available):
        return None
    with resolve(model).open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
