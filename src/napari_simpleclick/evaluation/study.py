"""A study: models on one data set, resumed where an earlier run left off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm

from napari_simpleclick.evaluation.object_table import ObjectTable
from napari_simpleclick.evaluation.run import SampleResult, evaluate_dataset
from napari_simpleclick.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

    from napari_simpleclick.evaluation.models import EvaluatedModel
    from napari_simpleclick.evaluation.samples import Dataset
    from napari_simpleclick.types import Sample

_IMAGE: Final = "image"
_OBJECT: Final = "object"


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

    def __post_init__(self) -> None:
        names = [model.name for model in self.models]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"models: names {names}, expected different ones")

    def run(self) -> dict[str, list[SampleResult]]:
        """Evaluate what is not yet in the folder, with a progress bar.

        Returns
        -------
        dict
            By name of the model: results in the order of the data set.

        Raises
        ------
        ValueError
            If the folder holds results of other settings, or the data set has no
            object.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        self._claim_folder()
        table = ObjectTable(self.output / "objects.csv", self.max_clicks)
        earlier = table.open()
        return {
            model.name: self._evaluate(model, table, earlier.get(model.name, {}))
            for model in self.models
        }

    def _evaluate(
        self, model: EvaluatedModel, table: ObjectTable, done: dict[str, SampleResult]
    ) -> list[SampleResult]:
        results = dict(done)
        with _bar(self.dataset, model.name, len(done)) as bar:
            for result in evaluate_dataset(
                model.predictor,
                _remaining(self.dataset, done, bar),
                self.max_clicks,
                batch_size=self.batch_size,
            ):
                table.append(model.name, result)
                results[result.name] = result
                bar.set_postfix(objects=len(results))
                bar.update(bar.unit == _OBJECT)
        if not results:
            raise ValueError(f"dataset: {self.dataset.name} has no object")
        return list(results.values())

    def _claim_folder(self) -> None:
        """Write down the settings; what is there already must have the same."""
        file = self.output / "run.json"
        digests = {model.name: model.sha256 for model in self.models}
        earlier: dict[str, Any] = {}
        if file.is_file():
            earlier = json.loads(file.read_text(encoding="utf-8"))
            _check_same("settings", earlier["settings"], self.settings, self.output)
            known = earlier["models"]
            shared = {name: known[name] for name in digests if name in known}
            _check_same("model", shared, {n: digests[n] for n in shared}, self.output)
        models = earlier.get("models", {}) | digests
        run = {"settings": self.settings, "models": models}
        with replacing(file) as partial:
            partial.write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")


def _bar(dataset: Dataset, name: str, n_done: int) -> tqdm[None]:
    """Show images done of all, or objects where they lie in a single source."""
    n_sources = len(dataset.sources)
    if n_sources > 1:
        return tqdm(total=n_sources, desc=name, unit=_IMAGE)
    n_objects = sum(1 for _ in dataset)
    return tqdm(total=n_objects, initial=n_done, desc=name, unit=_OBJECT)


def _remaining(
    dataset: Dataset, done: Container[str], bar: tqdm[None]
) -> Iterator[Sample]:
    """Take the samples without a result; the bar of images moves with each source."""
    for source in dataset.sources:
        yield from (sample for sample in source.read() if sample.name not in done)
        bar.update(bar.unit == _IMAGE)


def _check_same(
    what: str, there: dict[str, Any], here: dict[str, Any], output: Path
) -> None:
    for key in sorted(there.keys() | here.keys()):
        if there.get(key) != here.get(key):
            raise ValueError(
                f"output: {output} holds results with {what} {key} = {there.get(key)!r}"
                f", expected {here.get(key)!r}; choose another folder or empty it"
            )
