"""Work beside the training: results in order, and errors that are not swallowed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_simpleclick.training.background_jobs import BackgroundJobs
from napari_simpleclick.training.row_threads import for_each_row


def double(values: Tensor) -> Tensor:
    return 2 * values


def fail(values: Tensor) -> Tensor:
    raise ValueError(f"{len(values)} rows")


def test_results_come_in_the_order_of_the_starts_and_once() -> None:
    jobs = BackgroundJobs()
    got: list[tuple[list[int], list[int]]] = []

    def keep(users: Tensor, result: Tensor) -> None:
        got.append((users.tolist(), result.tolist()))

    for first in (5, 1):
        users = torch.arange(first, first + 2)
        jobs.start(users, double, [users], keep)
    assert got == []
    jobs.finish()
    jobs.finish()
    assert got == [([5, 6], [10, 12]), ([1, 2], [2, 4])]


def test_an_error_is_raised_and_nothing_is_done_twice() -> None:
    jobs = BackgroundJobs()
    got: list[Tensor] = []
    users = torch.arange(3)
    for work in (double, fail, double):
        jobs.start(users, work, [users], lambda _, result: got.append(result))
    with pytest.raises(ValueError, match="3 rows"):
        jobs.finish()
    jobs.finish()
    assert len(got) == 1


def test_every_row_is_worked_on_and_an_error_is_raised() -> None:
    seen: set[int] = set()
    for_each_row(seen.add, range(50))
    assert seen == set(range(50))

    def refuse(row: int) -> None:
        if row == 7:
            raise ValueError("row 7")

    with pytest.raises(ValueError, match="row 7"):
        for_each_row(refuse, range(50))
