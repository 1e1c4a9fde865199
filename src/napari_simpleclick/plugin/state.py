"""State: what a dock shows of a segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Sign = Literal["+", "-"]


@dataclass(frozen=True, slots=True)
class State:
    """What a dock shows of a segmentation.

    Parameters
    ----------
    is_running : bool
        Whether clicks on the image become masks.
    is_busy : bool
        Whether a model is being loaded or computes.
    sign : {"+", "-"}
        Sign of the next click.
    object_id : int
        Label of the object that the next click belongs to.
    click_count : int
        Clicks of that object on the displayed slice.
    threshold : float
        In [0, 1]; the probability above which a pixel is in that object's mask.
    can_undo, can_redo : bool
        Whether there is an edit to take back, or to repeat.
    """

    is_running: bool = False
    is_busy: bool = False
    sign: Sign = "+"
    object_id: int = 1
    click_count: int = 0
    threshold: float = 0.49
    can_undo: bool = False
    can_redo: bool = False
