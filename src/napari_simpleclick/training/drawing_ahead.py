"""draw_ahead: canvases drawn by processes of their own while the network learns."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from napari_simpleclick.training.dataset import CanvasDataset

    Canvas = tuple[Tensor, Tensor]

_KINDS: Final = (OSError, TypeError, ValueError)
"""Errors of files and numbers, whose own words are enough."""


def draw_ahead(
    dataset: CanvasDataset, first: int, step: int, workers: int
) -> Iterator[Canvas]:
    """Draw every so many-th canvas.

    Parameters
    ----------
    dataset : CanvasDataset
        What to draw from.
    first, step : int
        Number of the first canvas, and from one to the next: so that no two processes
        that train share any.
    workers : int
        Processes that draw; 0 for none but this one.

    Raises
    ------
    OSError, TypeError, ValueError
        What drawing a canvas raised, in the words that it has there.
    """
    loader = DataLoader(
        _Told(dataset),
        batch_size=None,
        sampler=range(first, len(dataset), step),
        num_workers=workers,
        prefetch_factor=32 if workers else None,
    )
    return map(_canvas, iter(loader))  # the workers start now, not at the first canvas


@dataclass(frozen=True, slots=True)
class _Failure:
    """An error on its way between processes, where torch would add to its words."""

    kind: type[Exception]
    words: str
    trace: str


class _Told(Dataset["Canvas | _Failure"]):
    """Canvases, or why there is none."""

    def __init__(self, dataset: CanvasDataset) -> None:
        self.dataset = dataset

    def __getitem__(self, index: int) -> Canvas | _Failure:
        try:
            return self.dataset[index]
        except _KINDS as error:
            kind = next(kind for kind in _KINDS if isinstance(error, kind))
            return _Failure(kind, str(error), traceback.format_exc())


def _canvas(drawn: Canvas | _Failure) -> Canvas:
    if isinstance(drawn, _Failure):
        raise drawn.kind(drawn.words) from RuntimeError(drawn.trace)
    return drawn
