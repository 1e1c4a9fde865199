"""ClickSource: what a training step takes its clicks from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from napari_simpleclick.training.click_pool import ClickBatch


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
