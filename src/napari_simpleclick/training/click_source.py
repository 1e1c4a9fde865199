"""ClickSource and ClickBatch: where a training step takes its clicks from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor


THRESHOLD = 0.49
"""Probability above which users see the object, that of the published evaluation."""


@dataclass(frozen=True, slots=True, eq=False)
class ClickBatch:
    """What the network sees of some users, and what it should answer.

    Parameters
    ----------
    image : Tensor
        (B, 3, S, S), float32 in [0, 1].
    prev_mask : Tensor
        (B, 1, S, S), float32 in [0, 1].
    points : Tensor
        (B, 2n, 3), float32, as the network takes them.
    mask : Tensor
        (B, 1, S, S), bool: the object.
    users : Tensor
        (B,), int64: their places in the pool.
    """

    image: Tensor
    prev_mask: Tensor
    points: Tensor
    mask: Tensor
    users: Tensor


class ClickSource(Protocol):
    """Simulated users, such as `ClickPool` or `IterativeClicks`."""

    drawn: int
    """Canvases taken so far."""

    def open(self) -> None:
        """Take the first canvases; a source that takes over a state needs none."""
        ...

    def batch(self, users: int, size: int) -> ClickBatch:
        """Return what the network sees, for this number of users and input side."""
        ...

    def answer(self, batch: ClickBatch, probability: Tensor) -> Tensor:
        """Take the answer to a batch, (B, 1, S, S) in [0, 1].

        Returns
        -------
        Tensor
            (B, 2), float, on the CPU: number of clicks, and IoU of the answer.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return all that `load_state_dict` needs, as tensors and numbers."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state of another source, but not its canvases."""
        ...
