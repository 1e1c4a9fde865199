"""PredictionCache: a model's answers, as many as fit a memory budget."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_simpleclick.types import Prediction


@dataclass(slots=True)
class PredictionCache:
    """Predictions by key; those unused for longest go first.

    Parameters
    ----------
    max_bytes : int
        Memory for the probability maps. The newest one is always kept.
    """

    max_bytes: int
    _held: OrderedDict[Hashable, Prediction] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, key: Hashable) -> Prediction | None:
        """Return the prediction under a key, None where there is none."""
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def put(self, key: Hashable, prediction: Prediction) -> None:
        """Keep a prediction, and drop old ones over the budget."""
        replaced = self._held.pop(key, None)
        self._size -= 0 if replaced is None else replaced.inside.nbytes
        self._held[key] = prediction
        self._size += prediction.inside.nbytes
        while self._size > self.max_bytes and len(self._held) > 1:
            _, dropped = self._held.popitem(last=False)
            self._size -= dropped.inside.nbytes

    def forget(self, is_stale: Callable[[Any], bool]) -> None:
        """Drop the predictions whose keys are stale."""
        for key in [key for key in self._held if is_stale(key)]:
            self._size -= self._held.pop(key).inside.nbytes
