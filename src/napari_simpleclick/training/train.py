"""The training loop: train and train_step."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.training.losses import NormalizedFocalLoss, dice_loss
from napari_simpleclick.training.train_log import CLICKS, StepReport, TrainLog
from napari_simpleclick.training.train_state import save_state, start
from napari_simpleclick.training.validation import validate

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from napari_simpleclick.modeling.simpleclick import SimpleClick
    from napari_simpleclick.training.click_pool import ClickBatch
    from napari_simpleclick.training.config import TrainConfig
    from napari_simpleclick.training.train_state import TrainState

logger = logging.getLogger(__name__)

STATE_NAME = "state.pt"
MODEL_NAME = "model.safetensors"
LOG_NAME = "log.csv"


def train(config: TrainConfig, output: Path, *, resume: bool = True) -> SimpleClick:
    """Train a network, or carry on.

    Parameters
    ----------
    config : TrainConfig
        The run.
    output : Path
        Folder, made if needed, for the state to resume from, the averaged weights as
        a checkpoint, and the log.
    resume : bool
        Carry on from the state in `output`, where there is one.

    Returns
    -------
    SimpleClick
        The network with averaged weights, in eval mode.
    """
    output.mkdir(parents=True, exist_ok=True)
    state = start(config, output / STATE_NAME if resume else None)
    log = TrainLog(output / LOG_NAME, config.log_every)
    saved = validated = time.monotonic()
    while state.step < config.steps:
        report = train_step(state, config)
        log.add(state.step, report)
        if time.monotonic() - saved > 60 * config.checkpoint_minutes:
            _save(state, output)
            saved = time.monotonic()
        if time.monotonic() - validated > 60 * config.validation_minutes:
            _validate(state, config)
            validated = time.monotonic()
    _save(state, output)
    _validate(state, config)
    return state.averaged_model()


def train_step(state: TrainState, config: TrainConfig) -> StepReport:
    """Take one optimisation step, in which every user of a batch clicks once.

    Parameters
    ----------
    state : TrainState
        Changed in place.
    config : TrainConfig
        The run.

    Returns
    -------
    StepReport
        Loss and accuracy before the step.
    """
    rate = learning_rate(config, state.step)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    turn = state.step % len(config.input_sizes)
    batch = state.pool.batch(config.batch_sizes[turn], config.input_sizes[turn])
    logits = forward(state.model, batch, bfloat16=config.bfloat16)
    loss = NormalizedFocalLoss()(logits, batch.mask)
    loss = (loss + config.dice_weight * dice_loss(logits, batch.mask)).mean()
    state.optimizer.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), config.clip_norm)
    state.optimizer.step()
    state.averaged.update_parameters(state.model)
    state.step += 1
    clicks = state.pool.answer(batch, logits.detach().sigmoid())
    return StepReport(loss.item(), norm.item(), rate, clicks)


def learning_rate(config: TrainConfig, step: int) -> float:
    """Return the rate of a step: linear warm-up, then half a cosine.

    Parameters
    ----------
    config : TrainConfig
        The run.
    step : int
        Steps done before, from 0.
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    fade = 0.5 * (1 + math.cos(math.pi * done))
    return config.learning_rate * (config.final_rate + (1 - config.final_rate) * fade)


def forward(model: SimpleClick, batch: ClickBatch, *, bfloat16: bool) -> Tensor:
    """Return the logits (B, 1, S, S), float32, of a batch."""
    device = batch.image.device.type
    with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
        logits: Tensor = model(batch.image, batch.prev_mask, batch.points)
    return logits.float()


def _save(state: TrainState, output: Path) -> None:
    save_state(state, output / STATE_NAME)
    steps = {"steps": str(state.step)}
    save_checkpoint(state.averaged_model(), output / MODEL_NAME, metadata=steps)


def _validate(state: TrainState, config: TrainConfig) -> None:
    if config.validation is None:
        return
    curves = validate(
        state.averaged_model(),
        config.validation,
        objects=config.validation_objects,
        clicks=max(CLICKS),
        input_size=config.validation_size,
    )
    mean = np.mean(list(curves.values()), axis=0)
    for name, curve in (*curves.items(), ("mean", mean)):
        ious = "  ".join(f"{curve[k - 1]:.3f}" for k in CLICKS)
        logger.info("step %d  mIoU@%s  %s  %s", state.step, CLICKS, ious, name)
