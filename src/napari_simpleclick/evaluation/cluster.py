"""Evaluation on many processes or machines, by way of dask.distributed."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

try:
    import distributed
    from dask.system import cpu_count
except ImportError as error:
    raise ImportError(
        'a cluster needs dask.distributed: pip install "napari-simpleclick[cluster]"'
    ) from error

from napari_simpleclick.evaluation.cluster_worker import (
    OpenModel,
    QuietWorker,
    host_of,
    measure,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from napari_simpleclick.evaluation.models import EvaluatedModel, ModelOpener
    from napari_simpleclick.evaluation.run import SampleResult
    from napari_simpleclick.types import Sample

LOCAL: Final = "local"
"""Stands for workers on this computer, one a core."""

_TIMEOUT: Final = 30.0
"""Seconds to wait for a scheduler, and for its first worker."""


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Workers that measure objects; a `Study` takes its `evaluate` as evaluator.

    Parameters
    ----------
    client : distributed.Client
        Connected to a scheduler that has workers.
    openers : mapping
        By name of the model: what opens it, called once on every worker.
    description : str
        For reports.
    """

    client: distributed.Client
    openers: Mapping[str, ModelOpener]
    description: str

    def evaluate(
        self,
        model: EvaluatedModel,
        samples: Iterable[Sample],
        max_clicks: int,
        batch_size: int,
    ) -> Iterator[SampleResult]:
        """Measure objects as `evaluate_dataset` does, and yield them as they finish.

        What a worker had begun when it died, another one does again; its result comes
        once.

        Parameters
        ----------
        model : EvaluatedModel
            The workers open it anew, under its name, and must find the same file.
        samples : iterable of Sample
            Read as the workers get on, and sent to them: they need no file of images.
        max_clicks, batch_size : int
            As for `evaluate_dataset`.

        Raises
        ------
        ChildProcessError
            If an object's worker died again and again.
        FileNotFoundError, ImportError, ValueError
            If a worker cannot open the model, or has another one under this name.
        """
        key = f"napari-simpleclick-{uuid4().hex}"
        slots = _slots(self.client)
        opened = OpenModel(self.openers[model.name], model.sha256, slots)
        self.client.register_plugin(opened, name=key)
        try:
            work = ((key, batch, max_clicks) for batch in _batches(samples, batch_size))
            yield from _in_flight(self.client, work, 2 * sum(slots.values()))
        finally:
            self.client.unregister_worker_plugin(key)


@contextmanager
def open_cluster(address: str, openers: Mapping[str, ModelOpener]) -> Iterator[Cluster]:
    """Connect to a scheduler, or start workers on this computer for a while.

    Parameters
    ----------
    address : str
        Of a scheduler, such as ``tcp://10.0.0.1:8786``; `LOCAL`; or a number of local
        workers.
    openers : mapping
        As for `Cluster`.

    Raises
    ------
    ConnectionError
        If there is no scheduler, or it has no worker.
    ValueError
        If the number of workers is less than 1.
    """
    if address != LOCAL and not address.lstrip("-").isdigit():
        with _connect(address) as client:
            yield Cluster(client, openers, f"{_count(client)} at {address}")
        return
    n_workers = cpu_count() if address == LOCAL else int(address)
    if n_workers < 1:
        raise ValueError(f"cluster: {address} workers, expected at least 1")
    with (
        _silence(),
        distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            memory_limit=None,
            dashboard_address="127.0.0.1:0",
        ) as local,
        distributed.Client(local) as client,
    ):
        client.register_plugin(QuietWorker())
        yield Cluster(client, openers, f"{_count(client)} on this computer")


def _in_flight(
    client: distributed.Client,
    work: Iterator[tuple[str, Sequence[Sample], int]],
    n_ahead: int,
) -> Iterator[SampleResult]:
    """Keep `n_ahead` batches at the workers, so that none waits and few are held."""
    flying: set[distributed.Future[Any]] = set()
    done = distributed.as_completed(with_results=True)

    def launch(n: int) -> None:
        for arguments in islice(work, n):
            future = client.submit(measure, *arguments, pure=False)
            flying.add(future)
            done.add(future)

    try:
        launch(n_ahead)
        for future, results in done:
            flying.discard(future)
            yield from results
            launch(1)
    except distributed.KilledWorker as error:
        raise ChildProcessError(
            "the workers died again and again while they measured the same object; "
            "do they have enough memory? The same command goes on"
        ) from error
    finally:
        client.cancel(list(flying))


@contextmanager
def _silence() -> Iterator[None]:
    """Keep back what dask tells of local workers: one that died is replaced."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _batches(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    remaining = iter(samples)
    while batch := list(islice(remaining, size)):
        yield batch


@contextmanager
def _connect(address: str) -> Iterator[distributed.Client]:
    try:
        client = distributed.Client(address, timeout=_TIMEOUT)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"cluster: no scheduler at {address!r}; expected an address such as "
            f"tcp://10.0.0.1:8786, {LOCAL!r}, or a number of workers"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_TIMEOUT)
        except TimeoutError as error:
            raise ConnectionError(
                f"cluster: the scheduler at {address} has no worker"
            ) from error
        yield client


def _slots(client: distributed.Client) -> dict[str, int]:
    """Count, by host, the tasks that its workers run at the same time."""
    slots: dict[str, int] = {}
    for address, n_threads in client.nthreads().items():
        slots[host_of(address)] = slots.get(host_of(address), 0) + n_threads
    return slots


def _count(client: distributed.Client) -> str:
    n_workers = len(client.nthreads())
    return f"{n_workers} worker{'s' if n_workers > 1 else ''}"
