"""What the entries of a training run must be."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari_simpleclick.modeling.config import PYRAMIDS, VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_simpleclick.training.config import TrainConfig

    Fits = Callable[[object], bool]

_CHOICES: Final = (
    ("variant", tuple(sorted(VARIANTS))),
    ("pyramid", (None, *PYRAMIDS)),
    ("clicks", ("pool", "iterative")),
    ("schedule", ("cosine", "step")),
)


def _whole(least: int) -> Fits:
    return lambda value: type(value) is int and value >= least


def _number(fits: Callable[[float], bool]) -> Fits:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and fits(value)
    )


def _each(fits: Fits, count: int | None = None) -> Fits:
    return lambda value: (
        isinstance(value, tuple)
        and count in (None, len(value))
        and all(map(fits, value))
    )


def _rises(value: object) -> bool:
    is_place = _number(math.isfinite)
    return isinstance(value, tuple) and all(
        is_place(place) and (number == 0 or place > value[number - 1])
        for number, place in enumerate(value)
    )


_RULES: Final[tuple[tuple[str, Fits, str], ...]] = (
    (
        "steps samples_per_epoch validation_steps log_every users max_clicks "
        "max_points devices nodes validation_objects validation_size",
        _whole(1),
        "a whole number of at least 1",
    ),
    ("canvas_size", _whole(16), "a whole number of at least 16"),
    ("warmup_steps rounds workers seed", _whole(0), "a whole number of at least 0"),
    (
        "real_fraction second_looks small_images ema_decay",
        _number(lambda value: 0 <= value <= 1),
        "a number in [0, 1]",
    ),
    (
        "stop_probability layer_decay",
        _number(lambda value: 0 < value <= 1),
        "a number in (0, 1]",
    ),
    (
        "learning_rate factor epochs minutes validation_minutes",
        _number(lambda value: 0 < value < math.inf),
        "a finite number above 0",
    ),
    (
        "final_rate weight_decay dice_weight checkpoint_minutes",
        _number(lambda value: 0 <= value < math.inf),
        "a finite number of at least 0",
    ),
    ("clip_norm", _number(lambda value: value > 0), "a number above 0, or inf"),
    (
        "input_sizes batch_sizes",
        _each(_whole(1)),
        "a list of whole numbers of at least 1",
    ),
    ("milestones", _rises, "a list of rising numbers"),
    (
        "betas",
        _each(_number(lambda value: 0 <= value < 1), count=2),
        "a list of two numbers in [0, 1)",
    ),
    (
        "freeze_backbone flood obey_clicks steady bfloat16 tensorboard",
        lambda value: isinstance(value, bool),
        "true or false",
    ),
    (
        "initial data validation pretrained device",
        lambda value: isinstance(value, str | Path),
        "a name or a path",
    ),
)
"""Names, what their values have to fit unless they are None, and that in words."""


def check(config: TrainConfig) -> None:
    """Check a run.

    Raises
    ------
    ValueError
        If an entry is of another kind or out of its range, or two do not fit together;
        the message names it, what it is, and what was expected.
    """
    for name, choices in _CHOICES:
        if (value := getattr(config, name)) not in choices:
            raise ValueError(f"{name}: {value!r}, expected one of {choices}")
    for names, fits, expected in _RULES:
        for name in names.split():
            value = getattr(config, name)
            if value is not None and not fits(value):
                raise ValueError(f"{name}: {value!r}, expected {expected}")
    _check_batches(config)
    _check_pairs(config)


def _check_batches(config: TrainConfig) -> None:
    sizes, batches = config.input_sizes, config.batch_sizes
    if not sizes or len(sizes) != len(batches):
        raise ValueError(
            f"batch_sizes: {batches}, expected one for each of the input_sizes, {sizes}"
        )
    if config.clicks == "pool" and max(batches) > config.users:
        raise ValueError(f"batch_sizes: {batches}, expected 1 to users, {config.users}")


def _check_pairs(config: TrainConfig) -> None:
    if (config.epochs is None) != (config.samples_per_epoch is None):
        raise ValueError(
            f"epochs: {config.epochs}, samples_per_epoch: {config.samples_per_epoch}, "
            "expected both or neither"
        )
    if config.sources and config.data is not None:
        raise ValueError(f"sources: expected none, as data is given, {config.data}")
    if config.initial is not None and (config.pretrained or config.pyramid):
        raise ValueError(
            f"initial: {config.initial}, expected none with pretrained or pyramid: it "
            "says all of a network"
        )
