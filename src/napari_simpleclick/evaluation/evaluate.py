"""The evaluate command: run a study and write its report."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from napari_simpleclick.evaluation.datasets import open_dataset
from napari_simpleclick.evaluation.figures import check_available
from napari_simpleclick.evaluation.models import open_model
from napari_simpleclick.evaluation.report_files import write_report
from napari_simpleclick.evaluation.study import Study, in_this_process
from napari_simpleclick.modeling.devices import choose_device

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from napari_simpleclick.evaluation.cases import CaseProgress
    from napari_simpleclick.evaluation.models import ModelOpener
    from napari_simpleclick.evaluation.slicing import Slicing
    from napari_simpleclick.evaluation.study import Evaluator
    from napari_simpleclick.modeling.devices import Device
    from napari_simpleclick.modeling.runtimes.runtime import RuntimeChoice


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """What to evaluate, and how.

    Parameters
    ----------
    dataset : str
        As for `open_dataset`.
    root : Path
        Its folder, or one volume.
    models : tuple of str
        As for `open_model`.
    output : Path
        Folder for the results.
    max_clicks : int
        Clicks on each object.
    labels : Path or None
        Labels of `root`, where that is one volume.
    slicing : Slicing or None
        Slices of volumes; None for those that the data set is known by.
    flip : bool
        Average with the mirrored image, as the published evaluation does; the dock
        does not.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute.
    runtime : str
        What computes, as for `load_predictor`; with "auto", workers of a cluster use
        what this process does.
    batch_size : int or None
        Objects that go through the network at once; None for 1 on the CPU, which gains
        nothing by more, and 16 on a GPU.
    cluster : str or None
        As `address` of `open_cluster`; None computes in this process.
    reach : int or None
        None evaluates slices; a number whole volumes, see `open_whole`.
    """

    dataset: str
    root: Path
    models: tuple[str, ...]
    output: Path
    max_clicks: int = 20
    labels: Path | None = None
    slicing: Slicing | None = None
    flip: bool = False
    device: Device = "auto"
    runtime: RuntimeChoice = "auto"
    batch_size: int | None = None
    cluster: str | None = None
    reach: int | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What results depend on besides the models: plain JSON."""
        return {
            "dataset": self.dataset,
            "root": str(self.root.resolve()),
            "labels": self.labels and str(self.labels.resolve()),
            "slicing": self.slicing and asdict(self.slicing),
            "max_clicks": self.max_clicks,
            "flip": self.flip,
            "runtime": self.runtime,
            **({} if self.reach is None else {"reach": self.reach}),
        }


def evaluate(options: EvaluationOptions) -> dict[str, Any]:
    """Evaluate models on a data set, or go on with it, and write the report.

    The folder gets objects.csv, report.json, report.html, curves.png, curves.svg and
    cases/. Interrupted, it keeps every finished object, and a second call goes on.

    Parameters
    ----------
    options : EvaluationOptions
        What to do.

    Returns
    -------
    dict
        The report.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If the data set, a model or an option cannot be used.
    ConnectionError, ChildProcessError
        If there is no cluster, or its workers die again and again.
    ImportError
        If matplotlib is not installed, or for a cluster, dask.distributed.
    """
    check_available()
    dataset = open_dataset(
        options.dataset,
        options.root,
        labels=options.labels,
        slicing=options.slicing,
        reach=options.reach,
    )
    opener = partial(open_model, device=options.device, flip=options.flip)
    models = tuple(opener(model, runtime=options.runtime) for model in options.models)
    by_name = {
        model.name: partial(opener, given, runtime=model.runtime or options.runtime)
        for model, given in zip(models, options.models, strict=True)
    }
    with _evaluator(options.cluster, by_name) as (evaluator, cluster):
        study = Study(
            dataset=dataset,
            models=models,
            output=options.output,
            settings=options.settings,
            max_clicks=options.max_clicks,
            batch_size=_batch_size(options),
            evaluator=evaluator,
            cluster=cluster,
        )
        results = study.run()
    with _bar() as progress:
        return write_report(study, results, progress)


@contextmanager
def _bar() -> Iterator[CaseProgress]:
    """Show how far the pictures of a report are."""
    with tqdm(desc="pictures", unit="click") as bar:

        def show(clicks: int, all_clicks: int) -> None:
            bar.total = all_clicks
            bar.update(clicks - bar.n)

        yield show


@contextmanager
def _evaluator(
    cluster: str | None, openers: Mapping[str, ModelOpener]
) -> Iterator[tuple[Evaluator, str | None]]:
    """Give what measures, and the words for it in a report."""
    if cluster is None:
        yield in_this_process, None
        return
    from napari_simpleclick.evaluation.cluster import open_cluster  # an extra

    with open_cluster(cluster, openers) as workers:
        yield workers.evaluate, workers.description


def _batch_size(options: EvaluationOptions) -> int:
    if options.batch_size is not None:
        return options.batch_size
    return 1 if choose_device(options.device) == "cpu" else 16
