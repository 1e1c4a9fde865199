"""The learning rate of a step, and how much of a run is done."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_simpleclick.training.config import TrainConfig


def learning_rate(config: TrainConfig, step: int, seconds: float = 0.0) -> float:
    """Return the rate of a step: linear warm-up, then half a cosine or stairs.

    Parameters
    ----------
    config : TrainConfig
        The run, its length in steps.
    step : int
        Steps done before, from 0.
    seconds : float
        Time that they took; counts where the run has a limit of time.
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if config.schedule == "step":
        passed = sum(step >= place for place in config.milestones)
        return config.learning_rate * config.factor**passed
    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    done = min(1.0, max(done, _time_done(config, seconds)))
    fade = 0.5 * (1 + math.cos(math.pi * done))
    return config.learning_rate * (config.final_rate + (1 - config.final_rate) * fade)


def progress(config: TrainConfig, step: int, seconds: float) -> float:
    """Return the part of the run that is done, in [0, 1], by steps or by time.

    Parameters
    ----------
    config, step, seconds
        As for `learning_rate`.
    """
    return min(1.0, max(step / config.steps, _time_done(config, seconds)))


def _time_done(config: TrainConfig, seconds: float) -> float:
    return 0.0 if config.minutes is None else seconds / (60 * config.minutes)
