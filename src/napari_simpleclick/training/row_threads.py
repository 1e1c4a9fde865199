"""for_each_row: the users of a batch, worked on by several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Row = TypeVar("Row")


def for_each_row(function: Callable[[Row], None], rows: Iterable[Row]) -> None:
    """Call a function with every row, in as many threads as torch computes with.

    NumPy and SciPy compute at once in several threads. Beside a GPU, one would keep it
    waiting.

    Parameters
    ----------
    function : callable
        It writes its result somewhere that is only the row's.
    rows : iterable
        One for each call. An exception of any call is raised here.
    """
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        list(threads.map(function, rows))
