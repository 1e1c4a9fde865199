"""TrainState: all that changes in a training run, and its file."""

from __future__ import annotations

import copy
import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.swa_utils import AveragedModel

from napari_simpleclick.io.atomic import replacing
from napari_simpleclick.training.assembly import (
    build_clicks,
    build_model,
    build_optimizer,
)
from napari_simpleclick.training.processes import open_fabric
from napari_simpleclick.training.saved_state import check_state, read_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lightning_fabric import Fabric
    from torch import Tensor, nn

    from napari_simpleclick.modeling.simpleclick import SimpleClick
    from napari_simpleclick.training.click_source import ClickSource
    from napari_simpleclick.training.config import TrainConfig
    from napari_simpleclick.training.slices import SliceSource

logger = logging.getLogger(__name__)

_Tensors = tuple["Tensor", ...] | list["Tensor"]


@dataclass(slots=True, eq=False)
class TrainState:
    """Everything that changes while training, and what it runs on.

    Parameters
    ----------
    fabric : Fabric
        Processes, device and precision.
    model : SimpleClick
        The network.
    network : Module
        The same, as it is called: in bfloat16, its gradients shared by the processes.
    averaged : AveragedModel
        Exponential moving average of its weights: the ones to ship.
    optimizer : Optimizer
        AdamW.
    scales : tuple of float
        Rate of each of its groups over that of the schedule.
    pool : ClickSource
        The simulated users of this process.
    step : int
        Steps done.
    seconds : float
        Time they took, the same in all processes.
    best_score : float
        Score of the best validation so far.
    validated : int
        Steps done at the last validation; -1 before the first.
    pending : list of tuple
        What the log has noted since its last line: loss, norm of the gradient, rate
        and clicks of every step.
    """

    fabric: Fabric
    model: SimpleClick
    network: nn.Module
    averaged: AveragedModel
    optimizer: torch.optim.Optimizer
    scales: tuple[float, ...]
    pool: ClickSource
    step: int = 0
    seconds: float = 0.0
    best_score: float = -math.inf
    validated: int = -1
    pending: list[tuple[float, float, float, Tensor]] = field(default_factory=list)

    def averaged_model(self) -> SimpleClick:
        """Return the network with averaged weights, on the CPU, in eval mode."""
        model = copy.deepcopy(self.model)
        model.load_state_dict(self.averaged.module.state_dict())
        return model.cpu().eval()


def start(
    config: TrainConfig,
    saved: Path | None = None,
    *,
    fabric: Fabric | None = None,
    source: SliceSource | None = None,
) -> TrainState:
    """Set up a run, from its saved state where that exists.

    Parameters
    ----------
    config : TrainConfig
        The run.
    saved : Path or None
        As `save_state` writes it; None, or a file that is not there, for a new run.
    fabric : Fabric or None
        As `open_fabric` gives it; None opens it.
    source : SliceSource or None
        Where all slices come from; None for what `config` names.

    Raises
    ------
    ValueError
        If the saved state cannot be read, or is not of such a run.
    """
    fabric = fabric or open_fabric(config)
    saved = saved if saved is not None and saved.exists() else None
    values = read_state(saved) if saved is not None else {}
    own = _own_values(values, fabric.global_rank)
    drawn = own["pool"]["drawn"] if own else 0
    state = _assemble(config, fabric, drawn, source)
    if saved is not None:
        check_state(values, config, state.model, state.optimizer, saved)
        logger.info("resuming from step %d of %s", values["step"], saved)
        _restore(state, values)
    if own:
        state.pool.load_state_dict(own["pool"])
        _set_random_states(own)
    else:
        state.pool.open()
    return state


def save_state(state: TrainState, path: Path) -> None:
    """Write the state of all processes to a file that is whole at any moment.

    All processes have to call this; the first one writes.

    Raises
    ------
    OSError
        If the file cannot be written, as on a full disk.
    """
    own: dict[str, Any] = {"pool": _on_cpu(state.pool.state_dict())}
    own |= _random_states(state.fabric.device)
    first, *others = _gather(state.fabric, own)
    if state.fabric.is_global_zero:
        values = {
            "step": state.step,
            "model": state.model.state_dict(),
            "averaged": state.averaged.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            **first,
            "others": others,
            "seconds": state.seconds,
            "best_score": state.best_score,
            "validated": state.validated,
            "pending": state.pending,
        }
        _write(values, path)
    state.fabric.barrier()


def _write(values: dict[str, Any], path: Path) -> None:
    with replacing(path) as partial, partial.open("wb") as file:
        try:
            torch.save(values, file)
        except RuntimeError as error:  # torch closes its archive after a failed write
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def _assemble(
    config: TrainConfig, fabric: Fabric, drawn: int, source: SliceSource | None
) -> TrainState:
    torch.manual_seed(config.seed)  # every process makes the same weights
    model = build_model(config, fabric.device).to(fabric.device)
    average = _moving_average(config.ema_decay)
    averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=False)
    optimizer = build_optimizer(model, config)
    scales = tuple(float(group["lr_scale"]) for group in optimizer.param_groups)
    network, shared = fabric.setup(model, optimizer)
    torch.manual_seed(config.seed + fabric.global_rank)
    clicks = build_clicks(config, fabric, model, drawn, source)
    return TrainState(fabric, model, network, averaged, shared, scales, clicks)


def _restore(state: TrainState, values: dict[str, Any]) -> None:
    """Take over what is the same in all processes."""
    state.step = values["step"]
    state.model.load_state_dict(values["model"])
    state.averaged.load_state_dict(values["averaged"])
    asked = [
        {name: group[name] for name in ("weight_decay", "betas")}
        for group in state.optimizer.param_groups
    ]
    state.optimizer.load_state_dict(values["optimizer"])
    for group, own in zip(state.optimizer.param_groups, asked, strict=True):
        group.update(own)  # the configuration may say otherwise now
    for name in ("seconds", "best_score", "validated", "pending"):
        if name in values:
            setattr(state, name, values[name])


def _own_values(values: dict[str, Any], rank: int) -> dict[str, Any]:
    """Find the users and random numbers of one process; none for one that is new."""
    if not values or rank == 0:
        return values
    others = values.get("others", [])
    if rank <= len(others):
        own: dict[str, Any] = others[rank - 1]
        return own
    logger.warning("process %d was not there before: its users start anew", rank)
    return {}


def _random_states(device: torch.device) -> dict[str, Tensor]:
    states = {"random": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda_random"] = torch.cuda.get_rng_state(device)
    return states


def _set_random_states(values: dict[str, Any]) -> None:
    torch.set_rng_state(values["random"])
    if "cuda_random" in values and torch.cuda.is_available():
        torch.cuda.set_rng_state(values["cuda_random"])


def _on_cpu(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.cpu() if isinstance(value, torch.Tensor) else value
        for name, value in values.items()
    }


def _gather(fabric: Fabric, own: dict[str, Any]) -> list[dict[str, Any]]:
    """Bring what each process has to the first one, by rank."""
    if fabric.world_size == 1:
        return [own]
    gathered: list[Any] = [None] * fabric.world_size
    torch.distributed.gather_object(own, gathered if fabric.is_global_zero else None)
    return gathered


def _moving_average(
    decay: float,
) -> Callable[[_Tensors, _Tensors, Tensor | int], None]:
    """Average with a decay that grows to `decay`: the first weights fade fast."""

    def average(means: _Tensors, values: _Tensors, count: Tensor | int) -> None:
        steps = int(count)
        weight = 1 - min(decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(means, values, weight)

    return average
