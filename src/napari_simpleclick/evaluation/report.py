"""The figures of a study as one JSON document, with all that they depend on."""

from __future__ import annotations

import math
import os
import platform
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from napari_simpleclick import __version__
from napari_simpleclick.evaluation.confidence import Interval, bootstrap_interval
from napari_simpleclick.evaluation.metrics import (
    dice_of_iou,
    miou_at_k,
    number_of_clicks,
    number_of_failures,
)
from napari_simpleclick.evaluation.published import NOTE, SOURCE, published_figures
from napari_simpleclick.evaluation.samples import image_of
from napari_simpleclick.modeling.devices import choose_device

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.evaluation.models import EvaluatedModel
    from napari_simpleclick.evaluation.run import SampleResult
    from napari_simpleclick.evaluation.study import Study

CURVES: Final = MappingProxyType({"iou": "miou_at", "dice": "dice_at"})
"""By measure: the name of its curve in a report."""
NAMES: Final = MappingProxyType({"iou": "IoU", "dice": "Dice"})
"""By measure: what people call it."""

TARGETS: Final = (0.8, 0.85, 0.9, 0.95)
"""IoUs, or Dice coefficients, whose number of clicks is reported."""

_SEED: Final = 0
_LIBRARIES: Final = ("numpy", "scikit-image", "scipy", "timm", "torch")


def report(
    study: Study, results: Mapping[str, Sequence[SampleResult]]
) -> dict[str, Any]:
    """Condense the results of a study.

    Parameters
    ----------
    study : Study
        What was run.
    results : mapping
        What `Study.run` returned.

    Returns
    -------
    dict
        Plain JSON. "models" has one entry each, as `model_figures` gives it; those of
        the first model stand at the top level, too. "published" are figures that were
        not measured here.
    """
    measure = study.dataset.measure
    models = [
        model_figures(model, results[model.name], measure) for model in study.models
    ]
    published = [
        {
            "method": figure.method,
            "training_data": figure.training_data,
            "measure": figure.measure,
            "at": figure.at,
            "value": figure.value,
        }
        for figure in published_figures(study.dataset.name)
        if measure == "iou"
    ]
    return {
        "dataset": study.dataset.name,
        "measure": measure,
        **models[0],
        "settings": study.settings
        | {"batch_size": study.batch_size, "cluster": study.cluster},
        "versions": versions(),
        "machine": machine(),
        "models": models,
        "published": {
            "source": SOURCE,
            "note": NOTE,
            "measured_here": False,
            "figures": published,
        },
    }


def model_figures(
    model: EvaluatedModel,
    results: Sequence[SampleResult],
    measure: Literal["iou", "dice"] = "iou",
) -> dict[str, Any]:
    """Condense the results of one model.

    Returns
    -------
    dict
        IoUs are fractions, targets percent; "..._interval" are 95 % intervals of a
        bootstrap over images. "boundary_iou" and "surface_mm" (millimetres) are means
        after the last click, None where not known; objects without any prediction have
        no surface and are left out of its mean. Where the measure is Dice, "dice_at"
        is there, too, and "noc" and "failures" count clicks to a Dice coefficient.
    """
    ious = np.stack([result.ious for result in results])
    scores = ious if measure == "iou" else dice_of_iou(ious)
    images = [image_of(result.name) for result in results]
    n_clicks = ious.shape[1]
    clicks = np.column_stack([number_of_clicks(scores, t, n_clicks) for t in TARGETS])
    rng = np.random.default_rng(_SEED)
    percents = [f"{100 * t:.0f}" for t in TARGETS]
    seconds = sum(result.seconds for result in results)
    curves = _curve("miou_at", ious, images, rng)
    if measure == "dice":
        curves |= _curve("dice_at", scores, images, rng)
    return {
        "model": model.name,
        "checkpoint_sha256": model.sha256,
        "runtime": model.runtime,
        "n_images": len(set(images)),
        "n_objects": len(results),
        **curves,
        "noc": _by(percents, clicks.mean(axis=0)),
        "noc_interval": _intervals(percents, bootstrap_interval(clicks, images, rng)),
        "failures": {
            percent: number_of_failures(scores, target, n_clicks)
            for percent, target in zip(percents, TARGETS, strict=True)
        },
        "boundary_iou": _mean([result.boundary_iou for result in results]),
        "surface_mm": _mean([result.surface_mm for result in results]),
        "seconds_per_click": round(seconds / ious.size, 5),
        "objects_per_second": round(len(results) / seconds, 4) if seconds else None,
    }


def versions() -> dict[str, str]:
    """Versions of this package, of Python, and of the libraries that compute."""
    return {
        "napari-simpleclick": __version__,
        "python": platform.python_version(),
        **{library: version(library) for library in _LIBRARIES},
    }


def machine() -> dict[str, Any]:
    """Describe the computer, as far as it bears on speed."""
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "gpu": _gpu(),
    }


def _gpu() -> str | None:
    if choose_device() != "cuda":
        return None
    import torch

    return torch.cuda.get_device_name()


def _mean(values: Sequence[float]) -> float | None:
    """Mean of the finite values, with six digits however small; None without any."""
    finite = [value for value in values if math.isfinite(value)]
    return float(f"{np.mean(finite):.6g}") if finite else None


def _curve(
    name: str,
    values: NDArray[np.float32],
    images: Sequence[str],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Mean after each click, and its interval."""
    ks = range(1, values.shape[1] + 1)
    return {
        name: _by(ks, miou_at_k(values)),
        f"{name}_interval": _intervals(ks, bootstrap_interval(values, images, rng)),
    }


def _by(keys: Sequence[object], values: Any) -> dict[str, float]:
    return {
        str(k): round(float(value), 6) for k, value in zip(keys, values, strict=True)
    }


def _intervals(keys: Sequence[object], interval: Interval) -> dict[str, list[float]]:
    ends: NDArray[np.float64] = np.column_stack(interval).round(6)
    return {str(k): pair for k, pair in zip(keys, ends.tolist(), strict=True)}
