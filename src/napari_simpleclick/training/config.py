"""TrainConfig: the numbers that fix a training run, as a TOML file gives them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from napari_simpleclick.modeling.config import VARIANTS


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A training run.

    Parameters
    ----------
    variant : str
        Architecture, a key of `VARIANTS`.
    data : Path or None
        Packed real data, as `training.packing.pack` writes it; None for made-up
        slices alone.
    real_fraction : float
        Share of canvases from real images, in [0, 1].
    initial : Path or None
        Checkpoint to start from, instead of `variant` with random weights.
    canvas_size : int
        Side of a canvas in pixels.
    input_sizes : tuple of int
        Sides of the network's input in pixels; the steps take turns.
    batch_sizes : tuple of int
        Users per step at each of the input sizes.
    users : int
        Simulated users at work; at least the largest batch.
    max_clicks : int
        Largest number of clicks of a user on one canvas.
    stop_probability : float
        Chance of a user to stop after a click, in (0, 1].
    steps : int
        Optimisation steps of the whole run.
    warmup_steps : int
        Steps of linear warm-up; a half cosine down to `final_rate` of it follows.
    learning_rate : float
        Largest learning rate.
    final_rate : float
        Last learning rate over the largest.
    weight_decay : float
        Of AdamW, on matrices only.
    clip_norm : float
        Largest norm of the gradient.
    ema_decay : float
        Of the averaged weights, the ones to ship.
    dice_weight : float
        Weight of the Dice loss beside the normalized focal loss.
    bfloat16 : bool
        Compute the network in bfloat16 where that is safe.
    device : str
        Where the network is trained: "cpu", "cuda", "cuda:1" ...
    workers : int
        Processes that draw canvases.
    seed : int
        Seed of weights, canvases and users.
    validation : Path or None
        Folder of held-out data sets, see `training.validation`; None for none.
    validation_minutes : float
        Minutes between two validations.
    validation_objects : int
        Objects of every data set, with 10 clicks each.
    validation_size : int
        Side of the network's input in pixels at validation.
    log_every : int
        Steps between two lines of the log.
    checkpoint_minutes : float
        Minutes between two checkpoints.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    variant: str = "xtiny"
    data: Path | None = None
    real_fraction: float = 0.5
    initial: Path | None = None
    canvas_size: int = 384
    input_sizes: tuple[int, ...] = (224,)
    batch_sizes: tuple[int, ...] = (16,)
    users: int = 64
    max_clicks: int = 12
    stop_probability: float = 0.28
    steps: int = 10_000
    warmup_steps: int = 300
    learning_rate: float = 8e-4
    final_rate: float = 0.01
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    dice_weight: float = 1.0
    bfloat16: bool = True
    device: str = "cpu"
    workers: int = 1
    seed: int = 0
    validation: Path | None = None
    validation_minutes: float = 30.0
    validation_objects: int = 5
    validation_size: int = 448
    log_every: int = 50
    checkpoint_minutes: float = 5.0

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise ValueError(
                f"variant: {self.variant!r}, expected one of {sorted(VARIANTS)}"
            )
        if not 0 <= self.real_fraction <= 1:
            raise ValueError(
                f"real_fraction: {self.real_fraction}, expected a number in [0, 1]"
            )
        if not 0 < self.stop_probability <= 1:
            raise ValueError(
                f"stop_probability: {self.stop_probability}, expected a number in "
                "(0, 1]"
            )
        if not self.input_sizes or len(self.input_sizes) != len(self.batch_sizes):
            raise ValueError(
                f"batch_sizes: {self.batch_sizes}, expected one for each of the "
                f"input_sizes, {self.input_sizes}"
            )
        if min(self.batch_sizes) < 1 or max(self.batch_sizes) > self.users:
            raise ValueError(
                f"batch_sizes: {self.batch_sizes}, expected 1 to users, {self.users}"
            )
        if self.steps < 1 or self.log_every < 1:
            raise ValueError("steps, log_every: expected at least 1")

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a run from a TOML file; paths in it are relative to the file.

        Raises
        ------
        ValueError
            If a name is unknown or a number is out of its range.
        """
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"{path}: unknown entries {sorted(unknown)}")
        for name in ("data", "initial", "validation"):
            if name in values:
                values[name] = path.parent / Path(values[name])
        for name in ("input_sizes", "batch_sizes"):
            if name in values:
                values[name] = tuple(values[name])
        return cls(**values)
