"""SharedPredictor: one model for clicks and for evaluation, one call at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.modeling.runtimes.runtime import Runtime
    from napari_simpleclick.types import Click, Prediction


@dataclass(frozen=True, slots=True, eq=False)
class SharedPredictor:
    """A predictor that several threads use, in turn.

    So two of them never compete for the processor, and a runtime need not bear being
    called twice at once.

    Parameters
    ----------
    predictor : ClickPredictor
        What answers.
    threshold : float
        In [0, 1]; the probability above which evaluation counts a pixel as object,
        0.49 in the published one.
    """

    predictor: ClickPredictor
    threshold: float = 0.49
    _turn: Lock = field(default_factory=Lock, init=False)

    @property
    def runtime(self) -> Runtime | None:
        """What computes the network, None where the predictor has none."""
        from napari_simpleclick.inference.loading import runtime_of  # takes a while

        return runtime_of(self.predictor)

    def predict(
        self,
        image: NDArray[np.generic],
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> Prediction:
        """Predict as `Predictor.predict`, when the call before has ended."""
        with self._turn:
            return self.predictor.predict(image, clicks, previous)
