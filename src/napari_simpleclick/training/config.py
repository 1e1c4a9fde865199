"""TrainConfig: the numbers that fix a training run, as a TOML file gives them."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

from napari_simpleclick.modeling.config import VARIANTS

Schedule = Literal["cosine", "step"]
"""How the learning rate falls."""

Clicks = Literal["pool", "iterative"]
"""How clicks are simulated: `ClickPool` or `IterativeClicks`."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A training run.

    Parameters
    ----------
    variant : str
        Architecture, a key of `VARIANTS`.
    initial : Path or None
        Checkpoint to start from, instead of `variant` with random weights.
    layer_decay : float or None
        Factor on the learning rate from one layer to the one below; None for one rate.
    freeze_backbone : bool
        Train the embedding of the clicks, the pyramid and the head alone.
    data : Path or None
        Packed real data, as `training.packing.pack` writes it; None for made-up
        slices alone.
    real_fraction : float
        Share of canvases from real images, in [0, 1].
    canvas_size : int
        Side of a canvas in pixels.
    input_sizes : tuple of int
        Sides of the network's input in pixels; the steps take turns.
    batch_sizes : tuple of int
        Users per step and process at each of the input sizes.
    clicks : {"pool", "iterative"}
        Users at work in a pool, each a click further a step, or the papers' rounds of
        clicks before every step.
    users : int
        Simulated users in the pool; at least the largest batch.
    max_clicks : int
        Largest number of clicks of a user of the pool on one canvas.
    stop_probability : float
        Chance of a user of the pool to stop after a click, in (0, 1].
    max_points : int
        Largest number of clicks of either sign, of iterative clicks.
    rounds : int
        Largest number of rounds without gradients, of iterative clicks.
    steps : int
        Optimisation steps of the whole run.
    epochs : float or None
        Length of the run instead of `steps`, together with `samples_per_epoch`.
    samples_per_epoch : int or None
        Canvases that make an epoch, over all processes.
    minutes : float or None
        End after so much time, if that is before `steps`; the cosine ends then too.
    schedule : {"cosine", "step"}
        Half a cosine down to `final_rate`, or times `factor` at each of `milestones`.
    warmup_steps : int
        Steps of linear warm-up.
    learning_rate : float
        Largest learning rate.
    final_rate : float
        Last learning rate of the cosine over the largest.
    milestones : tuple of float
        Steps, or with `epochs` epochs, at which the rate falls, rising.
    factor : float
        By which it falls.
    betas : tuple of float
        Of AdamW: decay of its two averages.
    weight_decay : float
        Of AdamW, on matrices only.
    clip_norm : float
        Largest norm of the gradient.
    ema_decay : float
        Of the averaged weights, the ones to ship; 0 for the last weights.
    dice_weight : float
        Weight of the Dice loss beside the normalized focal loss.
    bfloat16 : bool
        Compute the network in bfloat16 where that is safe.
    device : str
        Where the network is trained: "auto", "cpu", "cuda", "cuda:1" ...
    devices : int
        Processes on a machine, each with a device, unless `torchrun` or `fabric run`
        has started them.
    nodes : int
        Machines, unless `torchrun` or `fabric run` says it.
    workers : int
        Processes that draw canvases, for each process that trains.
    seed : int
        Seed of weights, canvases and users.
    validation : Path or None
        Folder of held-out data sets, see `training.validation`; None for none.
    validation_steps : int or None
        Steps between two validations; None for one at the end, and by the clock.
    validation_minutes : float or None
        Minutes between two validations, beside or instead of `validation_steps`.
    validation_objects : int
        Objects of every data set, with 10 clicks each.
    validation_size : int
        Side of the network's input in pixels at validation.
    log_every : int
        Steps between two lines of the log.
    checkpoint_minutes : float
        Minutes between two checkpoints.
    tensorboard : bool
        Log for TensorBoard too.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    variant: str = "xtiny"
    initial: Path | None = None
    layer_decay: float | None = None
    freeze_backbone: bool = False
    data: Path | None = None
    real_fraction: float = 0.5
    canvas_size: int = 384
    input_sizes: tuple[int, ...] = (224,)
    batch_sizes: tuple[int, ...] = (16,)
    clicks: Clicks = "pool"
    users: int = 64
    max_clicks: int = 12
    stop_probability: float = 0.28
    max_points: int = 24
    rounds: int = 3
    steps: int = 10_000
    epochs: float | None = None
    samples_per_epoch: int | None = None
    minutes: float | None = None
    schedule: Schedule = "cosine"
    warmup_steps: int = 300
    learning_rate: float = 8e-4
    final_rate: float = 0.01
    milestones: tuple[float, ...] = ()
    factor: float = 0.1
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    dice_weight: float = 1.0
    bfloat16: bool = True
    device: str = "cpu"
    devices: int = 1
    nodes: int = 1
    workers: int = 1
    seed: int = 0
    validation: Path | None = None
    validation_steps: int | None = 1000
    validation_minutes: float | None = None
    validation_objects: int = 5
    validation_size: int = 448
    log_every: int = 50
    checkpoint_minutes: float = 5.0
    tensorboard: bool = True

    def __post_init__(self) -> None:
        self._check_choices()
        self._check_numbers()
        self._check_batches()
        if (self.epochs is None) != (self.samples_per_epoch is None):
            raise ValueError(
                f"epochs: {self.epochs}, samples_per_epoch: {self.samples_per_epoch}, "
                "expected both or neither"
            )
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones: {self.milestones}, expected rising numbers")

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
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = tuple(value)
        return cls(**values)

    def in_steps(self, processes: int = 1) -> Self:
        """Turn epochs into steps, now that the number of processes is known.

        Parameters
        ----------
        processes : int
            Processes that train, each with a batch of its own.

        Returns
        -------
        TrainConfig
            With `steps`, and `milestones` in steps; `epochs` is None.
        """
        if self.epochs is None or self.samples_per_epoch is None:
            return self
        batch = processes * sum(self.batch_sizes) / len(self.batch_sizes)
        epoch = self.samples_per_epoch / batch
        return replace(
            self,
            steps=math.ceil(self.epochs * epoch),
            milestones=tuple(round(place * epoch) for place in self.milestones),
            epochs=None,
            samples_per_epoch=None,
        )

    def _check_choices(self) -> None:
        for name, choices in (
            ("variant", sorted(VARIANTS)),
            ("clicks", get_args(Clicks)),
            ("schedule", get_args(Schedule)),
        ):
            if (value := getattr(self, name)) not in choices:
                raise ValueError(f"{name}: {value!r}, expected one of {list(choices)}")

    def _check_numbers(self) -> None:
        if not 0 <= self.real_fraction <= 1:
            raise ValueError(
                f"real_fraction: {self.real_fraction}, expected a number in [0, 1]"
            )
        if not 0 < self.stop_probability <= 1:
            raise ValueError(
                f"stop_probability: {self.stop_probability}, expected a number in "
                "(0, 1]"
            )
        for name in ("steps", "log_every", "devices", "nodes", "max_points"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"{name}: {value}, expected at least 1")
        for name in ("epochs", "samples_per_epoch", "minutes", "validation_steps"):
            if (value := getattr(self, name)) is not None and value <= 0:
                raise ValueError(f"{name}: {value}, expected more than 0")

    def _check_batches(self) -> None:
        if not self.input_sizes or len(self.input_sizes) != len(self.batch_sizes):
            raise ValueError(
                f"batch_sizes: {self.batch_sizes}, expected one for each of the "
                f"input_sizes, {self.input_sizes}"
            )
        if min(self.batch_sizes) < 1:
            raise ValueError(f"batch_sizes: {self.batch_sizes}, expected at least 1")
        if self.clicks == "pool" and max(self.batch_sizes) > self.users:
            raise ValueError(
                f"batch_sizes: {self.batch_sizes}, expected 1 to users, {self.users}"
            )
