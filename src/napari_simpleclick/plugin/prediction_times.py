"""PredictionTimes: how long a prediction will take, by the ones before it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_simpleclick.inference.session import Request


@dataclass(slots=True)
class PredictionTimes:
    """Seconds of the last prediction on an object without a mask, and with one.

    The one without may take two passes.
    """

    without: float = math.inf
    with_mask: float = math.inf

    def note(self, request: Request, seconds: float) -> None:
        """Keep what a prediction took."""
        if request.previous is None:
            self.without = seconds
        else:
            self.with_mask = seconds

    def expected(self, request: Request) -> float:
        """Return what another one will take; at most that, if none was like it."""
        is_known = request.previous is not None and math.isfinite(self.with_mask)
        return self.with_mask if is_known else self.without
