"""Curves of a report: mean IoU or Dice after each click, and who reaches 90 %."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_simpleclick.evaluation.metrics import dice_of_iou
from napari_simpleclick.evaluation.report import CURVES, NAMES
from napari_simpleclick.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from napari_simpleclick.evaluation.run import SampleResult

_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours that colour-blind readers tell apart: Okabe and Ito, 2008."""
_REACHED: Final = 0.9
_LINE: Final[Any] = {"marker": ".", "clip_on": False}  # 0 and 100 % are seen whole
_STYLE: Final[Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "napari-simpleclick",
}


def check_available() -> None:
    """Refuse to go on where curves cannot be drawn.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "report.html and its curves need matplotlib: "
            'pip install "napari-simpleclick[evaluate]"'
        ) from error


def save_curves(
    path: Path,
    document: Mapping[str, Any],
    results: Mapping[str, Sequence[SampleResult]],
) -> None:
    """Draw the curves of all models as PNG and SVG.

    Parameters
    ----------
    path : Path
        The files, without their suffix.
    document : mapping
        What `report` returned.
    results : mapping
        What `Study.run` returned.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    measure = document["measure"]
    with rc_context(_STYLE):
        figure = Figure(figsize=(9.5, 3.8), layout="constrained")
        left, right = figure.subplots(1, 2)
        for model, colour in zip(document["models"], cycle(_COLOURS)):
            name = model["model"]
            ious = np.stack([result.ious for result in results[name]])
            scores = ious if measure == "iou" else dice_of_iou(ious)
            _draw_mean(left, model, CURVES[measure], colour)
            _draw_reached(right, name, scores, colour)
        _draw_published(left, document["published"])
        for axes, label in (
            (left, f"mean {NAMES[measure]} (%)"),
            (right, f"objects at {100 * _REACHED:.0f} % {NAMES[measure]} (%)"),
        ):
            clicks = len(document["miou_at"])
            axes.set(xlabel="clicks", ylabel=label, ylim=(0, 100))
            axes.set_xlim(0.5, clicks + 0.5)
            step = 1 if clicks <= 10 else 5
            axes.set_xticks(sorted({1, *range(step, clicks + 1, step), clicks}))
            axes.legend(loc="best")
        with replacing(path.with_suffix(".png")) as partial:
            figure.savefig(partial, dpi=150)
        with replacing(path.with_suffix(".svg")) as partial:
            figure.savefig(partial, metadata={"Date": None})


def _draw_mean(axes: Axes, model: Mapping[str, Any], curve: str, colour: str) -> None:
    clicks = [int(k) for k in model[curve]]
    means = 100 * np.array(list(model[curve].values()))
    low, high = 100 * np.array(list(model[f"{curve}_interval"].values())).T
    axes.plot(clicks, means, color=colour, label=model["model"], **_LINE)
    axes.fill_between(clicks, low, high, color=colour, alpha=0.15, linewidth=0)


def _draw_reached(
    axes: Axes, name: str, scores: NDArray[np.float32], colour: str
) -> None:
    reached = np.maximum.accumulate(scores, axis=1) >= _REACHED
    clicks = np.arange(1, scores.shape[1] + 1)
    axes.plot(clicks, 100 * reached.mean(0), color=colour, label=name, **_LINE)


def _draw_published(axes: Axes, published: Mapping[str, Any]) -> None:
    points = [
        (figure["at"], 100 * figure["value"])
        for figure in published["figures"]
        if figure["measure"] == "miou"
    ]
    if points:
        clicks, values = zip(*points, strict=True)
        axes.scatter(
            clicks,
            values,
            marker="D",
            s=22,
            facecolors="none",
            edgecolors="#777777",
            label="published, not measured here",
        )
