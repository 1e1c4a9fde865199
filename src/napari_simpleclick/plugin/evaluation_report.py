"""SaveTask: saves an evaluation as the evaluate command does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import groupby
from time import perf_counter
from typing import TYPE_CHECKING, Any

from napari_simpleclick.evaluation.models import EvaluatedModel
from napari_simpleclick.evaluation.object_table import ObjectTable
from napari_simpleclick.evaluation.report_files import (
    FIGURES,
    PAGE,
    REPORT_FILES,
    write_report,
)
from napari_simpleclick.evaluation.samples import Dataset, Source, image_of
from napari_simpleclick.evaluation.study import Study
from napari_simpleclick.modeling.catalog import digest_of, list_models, resolve
from napari_simpleclick.plugin.evaluation_objects import samples
from napari_simpleclick.plugin.evaluation_state import Progress, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from threading import Event

    from napari_simpleclick.evaluation.cases import CaseProgress
    from napari_simpleclick.evaluation.run import SampleResult
    from napari_simpleclick.plugin.evaluation_objects import AnnotatedImage, SliceObject
    from napari_simpleclick.plugin.evaluation_state import MeasuredObject
    from napari_simpleclick.plugin.shared_predictor import SharedPredictor

DATASET = "napari"
OBJECTS = "objects.csv"
DATA = f"{OBJECTS} and {FIGURES}"


@dataclass(frozen=True, slots=True, eq=False)
class SaveTask:
    """What a worker does to save a report; it knows no napari object.

    Parameters
    ----------
    folder : Path
        Made if it is not there; see `check_folder`.
    model : str
        A name of the catalogue, whose file's digest is noted, or any other.
    predictor : SharedPredictor
        What was evaluated; it predicts a few objects again, for pictures.
    settings : dict
        All that the results depend on besides the model; plain JSON.
    annotated : AnnotatedImage
        Where the objects lie.
    measured : sequence of MeasuredObject
        At least one.
    tell : callable
        Called in the worker's thread with the progress after every click.
    stop : Event
        Set it, and the task ends before the next click.
    """

    folder: Path
    model: str
    predictor: SharedPredictor
    settings: dict[str, Any]
    annotated: AnnotatedImage
    measured: Sequence[MeasuredObject]
    tell: Callable[[Progress], None]
    stop: Event

    def __call__(self) -> str:
        """Save; return a sentence about what is in the folder then.

        Raises
        ------
        OSError
            If it cannot be written to.
        """
        results = [measured.result for measured in self.measured]
        study = self._study(len(results[0].ious))
        self._write_table(results)
        try:
            write_report(study, {self.model: results}, self._progress())
        except StoppedError:
            return f"Stopped: {self.folder} has {DATA}, but no page."
        except ImportError as error:
            return f"Saved {DATA} in {self.folder}; {error}."
        return f"Saved {PAGE}, {DATA} in {self.folder}."

    def _study(self, clicks: int) -> Study:
        runtime = self.predictor.runtime
        evaluated = EvaluatedModel(
            self.model,
            self.predictor,
            _digest(self.model),
            None if runtime is None else runtime.name,
        )
        objects = [measured.found for measured in self.measured]
        dataset = dataset_of(self.annotated, objects)
        return Study(dataset, (evaluated,), self.folder, self.settings, clicks)

    def _write_table(self, results: Sequence[SampleResult]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        table = ObjectTable(self.folder / OBJECTS, len(results[0].ious))
        table.open()
        table.put_in_order({self.model: results})

    def _progress(self) -> CaseProgress:
        start = perf_counter()

        def progress(clicks: int, all_clicks: int) -> None:
            self.tell(Progress(clicks, all_clicks, perf_counter() - start))
            if self.stop.is_set():
                raise StoppedError

        return progress


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds another report.

    Raises
    ------
    FileExistsError
        If it has a file that a report would overwrite.
    """
    names = (OBJECTS, *REPORT_FILES)
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise FileExistsError(
            f"{folder} holds {' and '.join(there[:2])} already: choose another folder."
        )


def dataset_of(annotated: AnnotatedImage, objects: Iterable[SliceObject]) -> Dataset:
    """Take objects as a data set, with one source a slice.

    Parameters
    ----------
    annotated : AnnotatedImage
        Where they lie.
    objects : iterable of SliceObject
        Those of one slice next to each other.
    """
    sources = []
    for _, group in groupby(objects, key=lambda found: found.plane):
        on_plane = list(group)
        name = image_of(on_plane[0].name(annotated.name))
        sources.append(Source(name, partial(samples, annotated, on_plane)))
    return Dataset(DATASET, tuple(sources))


def _digest(model: str) -> str | None:
    if model not in (entry.name for entry in list_models() if entry.is_available):
        return None
    return digest_of(resolve(model))
