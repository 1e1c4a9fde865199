"""BackgroundJobs: what the processor does for some users while others go on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from torch import Tensor


class BackgroundJobs:
    """Jobs that run one after the other in a thread, beside the training on a GPU."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._jobs: list[tuple[Tensor, Future[Tensor], Callable[..., None]]] = []

    def start(
        self,
        users: Tensor,
        work: Callable[..., Tensor],
        given: Sequence[Tensor],
        finish: Callable[[Tensor, Tensor], None],
    ) -> None:
        """Start a job.

        Parameters
        ----------
        users : Tensor
            (B,), int64: whom it is for.
        work : callable
            Called with `given`; returns one row for each user, on the CPU.
        given : sequence of Tensor
            On any device, not changed afterwards; `work` gets them on the CPU.
        finish : callable
            Called by `finish` with the users and the result, on their device.
        """
        job = self._thread.submit(work, *(value.cpu() for value in given))
        self._jobs.append((users, job, finish))

    def finish(self) -> None:
        """Wait for all jobs, and hand over their results in the order of the starts.

        What a job raised is raised here; those after it are then forgotten.
        """
        jobs, self._jobs = self._jobs, []
        for users, job, finish in jobs:
            finish(users, job.result().to(users.device))
