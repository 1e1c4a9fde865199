"""What runs on a worker of dask.distributed: a model, opened once, and measuring."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING, cast

import distributed
import torch
from dask.system import cpu_count
from distributed.comm.addressing import get_address_host

from napari_simpleclick import __version__
from napari_simpleclick.evaluation.volume_run import evaluate_any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_simpleclick.evaluation.models import ModelOpener
    from napari_simpleclick.evaluation.run import SampleResult
    from napari_simpleclick.types import Sample


class QuietWorker(distributed.WorkerPlugin):
    """A local worker: Ctrl-C in a terminal reaches it, too, but the client stops it."""

    def setup(self, worker: distributed.Worker) -> None:
        """Run in the main thread of a worker's process."""
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class OpenModel(distributed.WorkerPlugin):
    """A model on each worker: opened once, also by workers that join or come back.

    Parameters
    ----------
    opener : ModelOpener
        Opens the model.
    sha256 : str or None
        The digest that its file has where the evaluation was started.
    slots : mapping of str to int
        By host: objects that are measured there at the same time.
    """

    def __init__(
        self,
        opener: ModelOpener,
        sha256: str | None,
        slots: Mapping[str, int],
    ) -> None:
        self.opener, self.sha256, self.slots = opener, sha256, slots
        self.version = __version__

    def setup(self, worker: distributed.Worker) -> None:
        """Open the model; cores of the host are shared out among its workers."""
        if self.version != __version__:
            raise ValueError(
                f"worker {worker.address} has napari-simpleclick {__version__}, "
                f"expected {self.version}"
            )
        slots = self.slots.get(host_of(worker.address), worker.state.nthreads)
        self.threads = max(1, cpu_count() // slots)
        torch.set_num_threads(self.threads)
        self.model = self.opener(threads=self.threads)
        if self.model.sha256 != self.sha256:
            raise ValueError(
                f"worker {worker.address} has {self.model.name} with SHA-256 "
                f"{self.model.sha256}, expected {self.sha256}"
            )


def measure(key: str, batch: Sequence[Sample], max_clicks: int) -> list[SampleResult]:
    """Measure objects in lock-step, with the model that `key` stands for."""
    opened = cast("OpenModel", distributed.get_worker().plugins[key])
    torch.set_num_threads(opened.threads)
    predictor = opened.model.predictor
    return list(evaluate_any(predictor, batch, max_clicks, batch_size=len(batch)))


def host_of(address: str) -> str:
    """Return the host in a worker's address."""
    host: str = get_address_host(address)
    return host
