"""The training loop: train and train_step."""

from __future__ import annotations

import logging
import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.training.losses import NormalizedFocalLoss, dice_loss
from napari_simpleclick.training.processes import open_fabric
from napari_simpleclick.training.schedule import learning_rate, progress
from napari_simpleclick.training.train_log import StepReport, TrainLog
from napari_simpleclick.training.train_state import save_state, start
from napari_simpleclick.training.validation import (
    held_out,
    predictor_of,
    score,
    validate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from napari_simpleclick.modeling.simpleclick import SimpleClick
    from napari_simpleclick.training.config import TrainConfig
    from napari_simpleclick.training.slices import SliceSource
    from napari_simpleclick.training.train_state import TrainState
    from napari_simpleclick.types import Sample

logger = logging.getLogger(__name__)

STATE_NAME = "state.pt"
LAST_NAME = "last.safetensors"
BEST_NAME = "best.safetensors"


def train(
    config: TrainConfig,
    output: Path,
    *,
    resume: bool = True,
    source: SliceSource | None = None,
    validation: Mapping[str, Sequence[Sample]] | None = None,
    score_to_beat: float = -math.inf,
    resumable: bool = True,
) -> SimpleClick:
    """Train a network, or carry on.

    Parameters
    ----------
    config : TrainConfig
        The run.
    output : Path
        Folder, made if needed, for the state to resume from, the averaged weights as
        checkpoints (the last and those that did best at validation), and the logs.
        Several processes all need to reach it.
    resume : bool
        Carry on from the state in `output`, where there is one.
    source : SliceSource or None
        Where all slices come from; None for what `config` names.
    validation : mapping or None
        Names of data sets to their held-out objects; None for those that
        `config.validation` names.
    score_to_beat : float
        Score that the first best checkpoint of a new run has to beat.
    resumable : bool
        Keep the state to resume from, several times as large as a checkpoint.

    Returns
    -------
    SimpleClick
        The network with averaged weights, in eval mode.

    Raises
    ------
    ImportError
        If a package that training needs is not installed.
    FileNotFoundError, ValueError
        If a file, a number or the device does not fit.
    OSError
        If a file cannot be written, as on a full disk.
    """
    fabric = open_fabric(config)
    config = config.in_steps(fabric.world_size)
    output.mkdir(parents=True, exist_ok=True)
    saved = output / STATE_NAME if resume else None
    state = start(config, saved, fabric=fabric, source=source)
    state.best_score = max(state.best_score, score_to_beat)
    run = _Run(config, output, state, validation, resumable=resumable)
    try:
        run.go()
    finally:
        run.close()
    return state.averaged_model()


def train_step(state: TrainState, config: TrainConfig) -> StepReport:
    """Take one optimisation step, in which every user of a batch clicks once.

    Parameters
    ----------
    state : TrainState
        Changed in place.
    config : TrainConfig
        The run, its length in steps.

    Returns
    -------
    StepReport
        Loss and accuracy before the step, of this process.
    """
    rate = learning_rate(config, state.step, state.seconds)
    for group, scale in zip(state.optimizer.param_groups, state.scales, strict=True):
        group["lr"] = rate * scale
    turn = state.step % len(config.input_sizes)
    batch = state.pool.batch(config.batch_sizes[turn], config.input_sizes[turn])
    logits = state.network(batch.image, batch.prev_mask, batch.points).float()
    loss = NormalizedFocalLoss()(logits, batch.mask)
    loss = (loss + config.dice_weight * dice_loss(logits, batch.mask)).mean()
    state.optimizer.zero_grad()
    state.fabric.backward(loss)
    norm = _clip(state, config.clip_norm)
    state.optimizer.step()
    state.averaged.update_parameters(state.model)
    state.step += 1
    clicks = state.pool.answer(batch, logits.detach().sigmoid())
    return StepReport(loss.item(), norm, rate, clicks)


def _clip(state: TrainState, largest: float) -> float:
    norm = state.fabric.clip_gradients(
        state.network, state.optimizer, max_norm=largest, error_if_nonfinite=False
    )
    return math.nan if norm is None else norm.item()


class _Run:
    """A run in one process: steps, and what is due between them."""

    def __init__(
        self,
        config: TrainConfig,
        output: Path,
        state: TrainState,
        validation: Mapping[str, Sequence[Sample]] | None,
        *,
        resumable: bool,
    ) -> None:
        self.config, self.output, self.state = config, output, state
        self.resumable = resumable
        self.saved = self.validated = state.seconds
        self.began = time.monotonic() - state.seconds
        self.has_validation = bool(validation or config.validation)
        self.validation = validation
        self.log: TrainLog | None = None
        if state.fabric.is_global_zero:
            if state.step == 0:  # the best of another run is none of this one
                (output / BEST_NAME).unlink(missing_ok=True)
            if self.validation is None and config.validation is not None:
                self.validation = held_out(config.validation, config.validation_objects)
            self.log = TrainLog(
                output,
                state,
                every=config.log_every,
                tensorboard=config.tensorboard,
                validates=self.has_validation,
            )

    def go(self) -> None:
        with self._bar() as bar:
            while self._progress() < 1:
                report = train_step(self.state, self.config)
                self._keep_time()
                if self.log is not None:
                    self.log.add(report)
                    bar.set_postfix(loss=f"{report.loss:.3f}", refresh=False)
                    self._show(bar)
                self._do_what_is_due()
            self._validate()
            self._save()

    def close(self) -> None:
        if self.log is not None:
            self.log.close()

    def _progress(self) -> float:
        return progress(self.config, self.state.step, self.state.seconds)

    def _keep_time(self) -> None:
        """Let all processes go by the clock of the first one."""
        seconds = time.monotonic() - self.began
        self.state.seconds = self.state.fabric.broadcast(seconds)

    def _do_what_is_due(self) -> None:
        config, seconds = self.config, self.state.seconds
        every, minutes = config.validation_steps, config.validation_minutes
        is_due = every is not None and self.state.step % every == 0
        is_due |= minutes is not None and seconds - self.validated > 60 * minutes
        if is_due and self.has_validation:
            self._validate()
        elif seconds - self.saved <= 60 * config.checkpoint_minutes:
            return
        self._save()

    def _save(self) -> None:
        """Write the weights first: they are what may still fit on a disk."""
        if self.log is not None:
            self._save_model(LAST_NAME)
        if self.resumable:
            save_state(self.state, self.output / STATE_NAME)
        self.saved = self.state.seconds

    def _save_model(self, name: str) -> None:
        path, steps = self.output / name, {"steps": str(self.state.step)}
        save_checkpoint(self.state.averaged_model(), path, metadata=steps)

    def _validate(self) -> None:
        """Measure the weights as a checkpoint would hold them, once for each step."""
        if not self.has_validation or self.state.validated == self.state.step:
            return
        result = self._measure() if self.log is not None else None
        result = self.state.fabric.broadcast(result)
        if result is not None and result > self.state.best_score:
            self.state.best_score = result
            if self.log is not None:
                self._save_model(BEST_NAME)
        self.state.validated = self.state.step
        self.validated = self.state.seconds
        self._keep_time()

    def _measure(self) -> float | None:
        if self.validation is None or self.log is None:
            return None
        device = self.state.fabric.device
        model = self.state.averaged_model().half().float().to(device)
        predictor = predictor_of(model, self.config.validation_size, device)
        curves = validate(predictor, self.validation)
        self.log.add_validation(curves)
        return score(curves)

    @contextmanager
    def _bar(self) -> Iterator[tqdm[None]]:
        """Show a progress bar, in the terminal of the first process."""
        minutes = self.config.minutes
        total = self.config.steps if minutes is None else round(60 * minutes)
        hidden = None if self.log is not None else True  # None: where no terminal is
        unit = "step" if minutes is None else "s"
        bar = tqdm(total=total, unit=unit, disable=hidden, dynamic_ncols=True)
        with logging_redirect_tqdm(), bar:
            self._show(bar)
            yield bar

    def _show(self, bar: tqdm[None]) -> None:
        bar.update(int(self._progress() * bar.total) - bar.n)
