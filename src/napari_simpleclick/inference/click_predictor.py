"""ClickPredictor: a network's `Predictor`, or any other method that answers clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_simpleclick.types import Click, Prediction


class ClickPredictor(Protocol):
    """What the dock asks and the evaluation measures; see `Predictor`."""

    @property
    def threshold(self) -> float:
        """Probability in [0, 1] above which a pixel counts as object."""
        ...

    def predict(
        self,
        image: NDArray[np.generic],
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> Prediction:
        """Predict the object that the clicks point at, as `Predictor.predict` does."""
        ...
