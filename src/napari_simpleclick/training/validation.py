"""Validation: a network clicked through some objects of every held-out data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_simpleclick.evaluation.datasets import folder
from napari_simpleclick.evaluation.metrics import miou_at_k
from napari_simpleclick.evaluation.run import evaluate_sample
from napari_simpleclick.inference.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.inference.predictor import ClickModel
    from napari_simpleclick.types import Sample


def validate(
    model: ClickModel, data: Path, *, objects: int, clicks: int, input_size: int
) -> dict[str, NDArray[np.float64]]:
    """Evaluate by the published protocol on a few objects of every data set.

    Parameters
    ----------
    model : ClickModel
        Network in eval mode, on the CPU.
    data : Path
        Holds one folder per data set, with `images/` and `masks/`.
    objects : int
        Objects of a data set, evenly spaced over it.
    clicks : int
        Clicks on each.
    input_size : int
        Side of the network's input in pixels.

    Returns
    -------
    dict
        Name of a data set to its mIoU after 1 .. `clicks` clicks: (clicks,), float64.
    """
    predictor = Predictor(model, input_size=input_size)
    curves = {}
    for path in sorted(path for path in data.iterdir() if path.is_dir()):
        chosen = _evenly(list(folder(path)), objects)
        with torch.inference_mode():
            ious = [evaluate_sample(predictor, one, clicks).ious for one in chosen]
        curves[path.name] = miou_at_k(np.stack(ious))
    return curves


def _evenly(samples: Sequence[Sample], count: int) -> list[Sample]:
    places = np.linspace(0, len(samples) - 1, min(count, len(samples)))
    return [samples[int(place)] for place in places]
