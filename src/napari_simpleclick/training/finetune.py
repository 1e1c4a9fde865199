"""fine_tune: a model made better at one's own images, in minutes."""

from __future__ import annotations

import csv
import logging
import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from napari_simpleclick.modeling.checkpoint import load_checkpoint
from napari_simpleclick.modeling.devices import choose_device
from napari_simpleclick.training.config import TrainConfig
from napari_simpleclick.training.mixture import Mixture
from napari_simpleclick.training.own_data import TOO_FEW, objects, read_own_data, split
from napari_simpleclick.training.slices import SyntheticSlices, VolumeSlices
from napari_simpleclick.training.train import BEST_NAME, LAST_NAME, train
from napari_simpleclick.training.train_log import VALIDATION_NAME
from napari_simpleclick.training.validation import (
    SCORED,
    mean_curve,
    predictor_of,
    score,
    validate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_simpleclick.modeling.devices import Device
    from napari_simpleclick.training.labelled_volume import LabelledVolume
    from napari_simpleclick.training.slices import SliceSource
    from napari_simpleclick.types import Sample

logger = logging.getLogger(__name__)

OWN_SHARE: Final = 0.8
"""Of the slices, those of one's own; the others are made up, against forgetting."""

MOST_OBJECTS: Final = 24
"""Held-out objects that are clicked on."""

VALIDATIONS: Final = 3
"""Candidates for the new checkpoint, the last one at the end."""


@dataclass(frozen=True, slots=True)
class FineTuning:
    """What came of it.

    Parameters
    ----------
    checkpoint : Path or None
        The new checkpoint; None where none beat the start.
    images, held_out : int
        Images or volumes learned from, and held out.
    objects : int
        Held-out objects that were clicked on.
    before, after : tuple of float
        mIoU after 1, 3, 5 and 10 clicks on them; empty where none were held out.
    """

    checkpoint: Path | None
    images: int
    held_out: int
    objects: int
    before: tuple[float, ...]
    after: tuple[float, ...]

    def summary(self) -> str:
        """Say it in sentences."""
        lines = [f"Learned from {self.images} images or volumes."]
        if self.objects:
            counts = ", ".join(str(k) for k in SCORED)
            lines += [
                f"mIoU in percent after {counts} clicks on {self.objects} objects of "
                f"{self.held_out} images that were held out:",
                f"  before  {_percent(self.before)}",
                f"  after   {_percent(self.after)}",
            ]
        else:
            lines.append(
                f"{TOO_FEW} Look at the masks before you trust the new checkpoint."
            )
        if self.checkpoint is None:
            lines.append(
                "That is no better than the start, so no checkpoint was kept: go on "
                "with the model that you had, or give more images or more time."
            )
        else:
            lines.append(
                f"The new checkpoint is {self.checkpoint}. In the dock, choose "
                '"from a file" in the list of models and open it; on the command '
                f"line, use --model {self.checkpoint}."
            )
        return "\n".join(lines)


def fine_tune(
    data: Path,
    output: Path,
    *,
    initial: str | Path = "default",
    minutes: float = 10.0,
    device: Device = "auto",
    restart: bool = False,
) -> FineTuning:
    """Train a model on one's own labelled images.

    Some images are held out, see `split`. The model is measured on those before, and
    three times while it learns; the best that beats the start is kept. The learning
    rate falls to zero as the time is up.

    Parameters
    ----------
    data : Path
        Folder, as `read_own_data` reads it.
    output : Path
        Folder, made if needed, for the new checkpoint and the logs.
    initial : str or Path
        Checkpoint to start from, a name or a file.
    minutes : float
        Time for all of it.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to train, see `choose_device`.
    restart : bool
        Write into a folder that is not empty.

    Raises
    ------
    FileExistsError
        If `output` is not empty.
    FileNotFoundError, ImportError, ValueError
        If the data, the model, a package or a number does not fit.
    """
    began = time.monotonic()
    _check_output(output, restart=restart)
    config = fine_tuning_config(initial, minutes=minutes, device=device)
    parts = split(read_own_data(data))
    name = data.resolve().name
    chosen = objects(parts.held_out, min(MOST_OBJECTS, max(6, round(3 * minutes))))
    validation = {name: chosen} if chosen else {}
    before = _measure(initial, validation, config.validation_size, device)
    left = minutes - 2 * (time.monotonic() - began) / 60  # as long for the last one
    left = max(left, minutes / 2)
    train(
        replace(config, minutes=left, validation_minutes=left / VALIDATIONS),
        output,
        resume=False,
        source=_source(parts.learned),
        validation=validation,
        score_to_beat=score(before) if before else -math.inf,
        resumable=False,
    )
    return FineTuning(
        _keep(output, name, BEST_NAME if validation else LAST_NAME),
        len(parts.learned),
        len(parts.held_out),
        len(chosen),
        _scored(mean_curve(before)) if before else (),
        _best(output / VALIDATION_NAME) if before else (),
    )


def fine_tuning_config(
    initial: str | Path, *, minutes: float, device: Device = "auto"
) -> TrainConfig:
    """Return the numbers of a fine-tuning, which were measured to do good on a laptop.

    Parameters
    ----------
    initial, minutes, device
        As for `fine_tune`.
    """
    network = load_checkpoint(initial).config
    return TrainConfig(
        initial=initial,
        canvas_size=network.image_size,
        input_sizes=(network.image_size,),
        batch_sizes=(8,),
        users=24,
        second_looks=0.5 if network.second_look else 0.0,
        flood=network.flood,
        obey_clicks=network.obey_clicks,
        steady=network.steady,
        steps=100_000,
        minutes=minutes,
        warmup_steps=10,
        learning_rate=3e-4,
        final_rate=0.0,
        ema_decay=0.97,
        device=device,
        validation_steps=None,
        validation_size=network.image_size,
        log_every=10,
        tensorboard=False,
    )


def _check_output(output: Path, *, restart: bool) -> None:
    if output.exists() and any(output.iterdir()) and not restart:
        raise FileExistsError(
            f"{output} is not empty: name another folder by --output, or write into "
            "this one by --restart"
        )


def _source(learned: Sequence[LabelledVolume]) -> Mixture:
    sources: list[SliceSource] = [VolumeSlices(learned), SyntheticSlices()]
    return Mixture(sources, [OWN_SHARE, 1 - OWN_SHARE])


def _measure(
    initial: str | Path,
    validation: Mapping[str, Sequence[Sample]],
    input_size: int,
    device: Device,
) -> dict[str, NDArray[np.float64]]:
    if not validation:
        logger.warning(TOO_FEW)
        return {}
    place = choose_device(device)
    model = load_checkpoint(initial).to(place)
    before = validate(predictor_of(model, input_size, place), validation)
    logger.info("before: mIoU@%s  %s", SCORED, _percent(_scored(mean_curve(before))))
    return before


def _keep(output: Path, name: str, kept: str) -> Path | None:
    """Remove what is of no more use, and give the checkpoint the name of the data.

    In this order, as the data may have one of the names of a run.
    """
    for other in {BEST_NAME, LAST_NAME} - {kept}:
        (output / other).unlink(missing_ok=True)
    if not (output / kept).exists():
        return None
    return (output / kept).replace(output / f"{name}.safetensors")


def _scored(curve: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(curve[k - 1]) for k in SCORED)


def _best(log: Path) -> tuple[float, ...]:
    """Read the best curve of a run, as `score` counts."""
    with log.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["data"] == "mean"]
    curves = [tuple(float(row[f"miou_{k}"]) for k in SCORED) for row in rows]
    return max(curves, key=sum)


def _percent(values: Sequence[float]) -> str:
    return "  ".join(f"{100 * value:5.1f}" for value in values)
