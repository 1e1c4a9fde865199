"""Validation: a network clicked through some objects of every held-out data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from napari_simpleclick.evaluation.datasets import folder
from napari_simpleclick.evaluation.metrics import miou_at_k
from napari_simpleclick.evaluation.run import evaluate_sample
from napari_simpleclick.inference.loading import predictor_for
from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.inference.predictor import Predictor
    from napari_simpleclick.modeling.simpleclick import SimpleClick
    from napari_simpleclick.types import Sample

T = TypeVar("T")

CLICKS: Final = 10
"""Clicks on every object."""

SCORED: Final = (1, 3, 5, 10)
"""Numbers of clicks whose mIoU makes the score."""


def held_out(data: Path, objects: int) -> dict[str, list[Sample]]:
    """Choose a few objects of every data set, evenly spaced over it.

    Parameters
    ----------
    data : Path
        Holds one folder per data set, with `images/` and `masks/`; hidden ones are
        passed over.
    objects : int
        Objects of a data set.

    Returns
    -------
    dict
        Name of a data set to its objects.

    Raises
    ------
    ValueError
        If there is no data set, or one has no object.
    """
    chosen = {
        path.name: evenly(list(folder(path)), objects)
        for path in sorted(data.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    }
    if not chosen:
        raise ValueError(
            f"validation: {data} holds no data set, expected folders of images/ and "
            "masks/"
        )
    for name, samples in chosen.items():
        if not samples:
            raise ValueError(f"validation: {data / name} has masks without any object")
    return chosen


def predictor_of(
    model: SimpleClick, input_size: int, device: str | torch.device = "cpu"
) -> Predictor:
    """Use a network as its configuration says.

    Parameters
    ----------
    model : SimpleClick
        Network in eval mode, on `device`.
    input_size : int
        Side of its input in pixels.
    device : str or torch.device
        Where the network is.
    """
    compute = TorchEager(model, device=device)
    return predictor_for(compute, model.config, input_size=input_size)


def validate(
    predictor: ClickPredictor,
    data: Mapping[str, Sequence[Sample]],
    clicks: int = CLICKS,
) -> dict[str, NDArray[np.float64]]:
    """Evaluate by the published protocol.

    Parameters
    ----------
    predictor : ClickPredictor
        Answers to clicks.
    data : mapping
        Name of a data set to its objects.
    clicks : int
        Clicks on each object.

    Returns
    -------
    dict
        Name of a data set to its mIoU after 1 .. `clicks` clicks: (clicks,), float64.
    """
    curves = {}
    for name, samples in data.items():
        ious = [evaluate_sample(predictor, one, clicks).ious for one in samples]
        curves[name] = miou_at_k(np.stack(ious))
    return curves


def mean_curve(curves: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Average over the data sets: (clicks,), float64."""
    mean: NDArray[np.float64] = np.mean(list(curves.values()), axis=0)
    return mean


def score(curves: Mapping[str, NDArray[np.float64]]) -> float:
    """Return the one number that the best checkpoint is chosen by.

    It is the mean of mIoU@1, @3, @5 and @10 over the data sets, in [0, 1].
    """
    return float(np.mean([mean_curve(curves)[k - 1] for k in SCORED]))


def evenly(items: Sequence[T], count: int) -> list[T]:
    """Take this many items, evenly from the first to the last, or all if fewer."""
    places = np.linspace(0, len(items) - 1, min(count, len(items)))
    return [items[int(place)] for place in places]
