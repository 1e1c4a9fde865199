"""What the numbers of a training run must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from napari_simpleclick.modeling.config import PYRAMIDS, VARIANTS

if TYPE_CHECKING:
    from napari_simpleclick.training.config import TrainConfig

_CHOICES: Final = (
    ("variant", tuple(sorted(VARIANTS))),
    ("pyramid", (None, *PYRAMIDS)),
    ("clicks", ("pool", "iterative")),
    ("schedule", ("cosine", "step")),
)
_SHARES: Final = (
    "real_fraction",
    "stop_probability",
    "second_looks",
    "small_images",
    "ema_decay",
)
_WHOLE: Final = ("steps", "log_every", "devices", "nodes", "max_points")
_POSITIVE: Final = (
    "learning_rate",
    "clip_norm",
    "epochs",
    "samples_per_epoch",
    "minutes",
    "validation_steps",
    "validation_minutes",
)


def check(config: TrainConfig) -> None:
    """Check a run.

    Raises
    ------
    ValueError
        If a number is out of its range, or two do not fit together; the message names
        it, and what was expected.
    """
    for name, choices in _CHOICES:
        if (value := getattr(config, name)) not in choices:
            raise ValueError(f"{name}: {value!r}, expected one of {choices}")
    _check_numbers(config)
    _check_batches(config)
    _check_pairs(config)


def _check_numbers(config: TrainConfig) -> None:
    for name in _SHARES:
        if not 0 <= (value := getattr(config, name)) <= 1:
            raise ValueError(f"{name}: {value}, expected a number in [0, 1]")
    if config.stop_probability == 0:
        raise ValueError("stop_probability: 0, expected a number in (0, 1]")
    for name in _WHOLE:
        if (value := getattr(config, name)) < 1:
            raise ValueError(f"{name}: {value}, expected at least 1")
    for name in _POSITIVE:
        if (value := getattr(config, name)) is not None and value <= 0:
            raise ValueError(f"{name}: {value}, expected more than 0")


def _check_batches(config: TrainConfig) -> None:
    sizes, batches = config.input_sizes, config.batch_sizes
    if not sizes or len(sizes) != len(batches):
        raise ValueError(
            f"batch_sizes: {batches}, expected one for each of the input_sizes, {sizes}"
        )
    if min(batches) < 1:
        raise ValueError(f"batch_sizes: {batches}, expected at least 1")
    if config.clicks == "pool" and max(batches) > config.users:
        raise ValueError(f"batch_sizes: {batches}, expected 1 to users, {config.users}")


def _check_pairs(config: TrainConfig) -> None:
    if (config.epochs is None) != (config.samples_per_epoch is None):
        raise ValueError(
            f"epochs: {config.epochs}, samples_per_epoch: {config.samples_per_epoch}, "
            "expected both or neither"
        )
    if list(config.milestones) != sorted(set(config.milestones)):
        raise ValueError(f"milestones: {config.milestones}, expected rising numbers")
    if config.sources and config.data is not None:
        raise ValueError(f"sources: expected none, as data is given, {config.data}")
    if config.initial is not None and (config.pretrained or config.pyramid):
        raise ValueError(
            f"initial: {config.initial}, expected none with pretrained or pyramid: it "
            "says all of a network"
        )
