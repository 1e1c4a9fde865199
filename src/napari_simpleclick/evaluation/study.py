"""A study: models on one data set, resumed where an earlier run left off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from napari_simpleclick.evaluation.object_table import ObjectTable
from napari_simpleclick.evaluation.study_bar import StudyBar
from napari_simpleclick.evaluation.volume_run import evaluate_any
from napari_simpleclick.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from napari_simpleclick.evaluation.models import EvaluatedModel
    from napari_simpleclick.evaluation.run import SampleResult
    from napari_simpleclick.evaluation.samples import Dataset
    from napari_simpleclick.types import Sample


class Evaluator(Protocol):
    """Measures objects, somewhere: in this process or on a cluster."""

    def __call__(
        self,
        model: EvaluatedModel,
        samples: Iterable[Sample],
        max_clicks: int,
        batch_size: int,
    ) -> Iterator[SampleResult]:
        """Yield one result for each sample, in any order, as soon as it is there."""
        ...


def in_this_process(
    model: EvaluatedModel, samples: Iterable[Sample], max_clicks: int, batch_size: int
) -> Iterator[SampleResult]:
    """Measure one batch of objects after the other; an `Evaluator`."""
    return evaluate_any(model.predictor, samples, max_clicks, batch_size=batch_size)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Models, a data set, and a folder for the results.

    Parameters
    ----------
    dataset : Dataset
        What is segmented.
    models : tuple of EvaluatedModel
        What segments it, at least one; names differ.
    output : Path
        Folder; it gets objects.csv, which grows with every object, and run.json.
    settings : dict
        All else that the results depend on; plain JSON.
    max_clicks : int
        Clicks on each object.
    batch_size : int
        Objects that go through the network at once.
    evaluator : Evaluator
        Where objects are measured; results are the same.
    cluster : str or None
        The place in words; None for this process.

    Raises
    ------
    ValueError
        If two models have one name.
    """

    dataset: Dataset
    models: tuple[EvaluatedModel, ...]
    output: Path
    settings: dict[str, Any]
    max_clicks: int = 20
    batch_size: int = 1
    evaluator: Evaluator = in_this_process
    cluster: str | None = None

    def __post_init__(self) -> None:
        names = [model.name for model in self.models]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"models: names {names}, expected different ones")

    def run(self) -> dict[str, list[SampleResult]]:
        """Evaluate what is not yet in the folder, with a progress bar.

        Returns
        -------
        dict
            By name of the model: results in the order of the data set. Those of
            objects that it does not hold any more are removed.

        Raises
        ------
        ValueError
            If the folder holds results of other settings, or the data set has no
            object.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        table = ObjectTable(self.output / "objects.csv", self.max_clicks)
        self._claim_folder(table)
        earlier = table.open()
        results = {
            model.name: self._evaluate(model, table, earlier.get(model.name, {}))
            for model in self.models
        }
        others = {k: list(v.values()) for k, v in earlier.items() if k not in results}
        table.put_in_order(others | results)
        return results

    def _evaluate(
        self, model: EvaluatedModel, table: ObjectTable, done: dict[str, SampleResult]
    ) -> list[SampleResult]:
        results = dict(done)
        with StudyBar(self.dataset, model.name, done) as bar:
            for result in self.evaluator(
                model, bar.remaining(), self.max_clicks, self.batch_size
            ):
                table.append(model.name, result)
                results[result.name] = result
                bar.finish(result.name)
        if not bar.order:
            raise ValueError(
                f"dataset: {self.dataset.name} has no object, expected annotations "
                "with values other than 0, of the smallest area or more"
            )
        return [results[name] for name in bar.order]

    def _claim_folder(self, table: ObjectTable) -> None:
        """Write down the settings; results that are there must have the same."""
        file = self.output / "run.json"
        digests = {model.name: model.sha256 for model in self.models}
        earlier = _read_run(file) if file.is_file() else {}
        if earlier and not table.has_rows():  # it ended before its first object
            table.path.unlink(missing_ok=True)
            earlier = {}
        if earlier:
            _check_same("settings", earlier["settings"], self.settings, self.output)
            known = earlier["models"]
            shared = {name: known[name] for name in digests if name in known}
            _check_same("model", shared, {n: digests[n] for n in shared}, self.output)
        models = earlier.get("models", {}) | digests
        run = {"settings": self.settings, "models": models}
        with replacing(file) as partial:
            partial.write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")


def _read_run(file: Path) -> dict[str, Any]:
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
        return {key: dict(run[key]) for key in ("settings", "models")}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{file} does not tell the settings of the results beside it; choose "
            "another folder or empty it"
        ) from error


def _check_same(
    what: str, there: dict[str, Any], here: dict[str, Any], output: Path
) -> None:
    for key in sorted(there.keys() | here.keys()):
        if there.get(key) != here.get(key):
            raise ValueError(
                f"output: {output} holds results with {what} {key} = {there.get(key)!r}"
                f", expected {here.get(key)!r}; choose another folder or empty it"
            )
