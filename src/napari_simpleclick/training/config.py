"""TrainConfig: the numbers that fix a training run, as a TOML file gives them."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from napari_simpleclick.modeling.catalog import list_models
from napari_simpleclick.training.config_checks import check
from napari_simpleclick.training.mixture import Source, sources_from

if TYPE_CHECKING:
    from pathlib import Path

    from napari_simpleclick.modeling.config import Pyramid


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A training run.

    Parameters
    ----------
    variant : str
        Architecture, a key of `VARIANTS`.
    pyramid : str or None
        Design of its feature pyramid, one of `PYRAMIDS`; None for that of the variant.
    initial : str, Path or None
        Checkpoint to start from, a name or a file, instead of `variant` with random
        weights.
    pretrained : str or None
        Backbone to start from, a name or a file, as for `load_mae`.
    layer_decay : float or None
        Factor on the learning rate from one layer to the one below; None for one rate.
    freeze_backbone : bool
        Train the embedding of the clicks, the pyramid and the head alone.
    data : Path or None
        Packed real data, as `training.packing.pack` writes it; None for made-up
        slices alone.
    real_fraction : float
        Share of canvases from real images, in [0, 1].
    sources : tuple of Source
        Instead of `data`: a mixture, see `training.mixture`.
    canvas_size : int
        Side of a canvas in pixels.
    input_sizes : tuple of int
        Sides of the network's input in pixels; the steps take turns.
    batch_sizes : tuple of int
        Users per step and process at each of the input sizes.
    clicks : {"pool", "iterative"}
        `ClickPool`, users at work, each a click further a step; or `IterativeClicks`,
        the papers' rounds of clicks before every step.
    users : int
        Simulated users in the pool; at least the largest batch.
    max_clicks : int
        Largest number of clicks of a user of the pool on one canvas.
    stop_probability : float
        Chance of a user of the pool to stop after a click, in (0, 1].
    second_looks : float
        Chance of a user of the pool to look closer before the second click. Where it
        is above 0, the network is marked to be used with a second look.
    flood : bool
        Whether that closer look gets the answer mixed with floodings of the image. The
        network is marked to be used so.
    obey_clicks, steady : bool
        Whether the answers that users of the pool see are corrected in these ways. The
        network is marked to be used so, see `SimpleClickConfig`.
    small_images : float
        Share of the canvases, in [0, 1], that users of the pool see as images of few
        pixels, see `training.small_images`.
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
        Compute the network in bfloat16 where that is safe, on devices made for it.
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
        If an entry is of another kind, or out of its range.
    """

    variant: str = "xtiny"
    pyramid: Pyramid | None = None
    initial: str | Path | None = None
    pretrained: str | None = None
    layer_decay: float | None = None
    freeze_backbone: bool = False
    data: Path | None = None
    real_fraction: float = 0.5
    sources: tuple[Source, ...] = ()
    canvas_size: int = 384
    input_sizes: tuple[int, ...] = (224,)
    batch_sizes: tuple[int, ...] = (16,)
    clicks: Literal["pool", "iterative"] = "pool"
    users: int = 64
    max_clicks: int = 12
    stop_probability: float = 0.28
    second_looks: float = 0.5
    flood: bool = True
    obey_clicks: bool = True
    steady: bool = True
    small_images: float = 0.0
    max_points: int = 24
    rounds: int = 3
    steps: int = 10_000
    epochs: float | None = None
    samples_per_epoch: int | None = None
    minutes: float | None = None
    schedule: Literal["cosine", "step"] = "cosine"
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
        check(self)

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a run from a TOML file; paths in it are relative to the file.

        Raises
        ------
        ValueError
            If it is no TOML, a name is unknown, or a value does not fit.
        """
        try:
            values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} cannot be read as TOML: {error}") from error
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"{path}: unknown entries {sorted(unknown)}")
        for name in ("data", "initial", "pretrained", "validation"):
            if isinstance(values.get(name), str):
                values[name] = _place(name, values[name], path.parent)
        values["sources"] = sources_from(values.get("sources", []), path.parent)
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


def _place(name: str, value: str, folder: Path) -> str | Path:
    """Find a file beside the TOML file; names of models stay names."""
    file = folder / value
    if name == "initial" and value in {entry.name for entry in list_models()}:
        return value
    if name == "pretrained":
        return str(file) if file.exists() else value
    return file
