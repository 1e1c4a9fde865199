"""TrainState: all that changes in a training run, and its file."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from napari_simpleclick.modeling.checkpoint import load_checkpoint
from napari_simpleclick.modeling.config import VARIANTS
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.training.click_pool import ClickPool
from napari_simpleclick.training.dataset import CanvasDataset
from napari_simpleclick.training.packing import load_pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_simpleclick.training.config import TrainConfig

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class TrainState:
    """Everything that changes while training.

    Parameters
    ----------
    model : SimpleClick
        The network.
    averaged : AveragedModel
        Exponential moving average of its weights: the ones to ship.
    optimizer : Optimizer
        AdamW.
    pool : ClickPool
        The simulated users.
    step : int
        Steps done.
    """

    model: SimpleClick
    averaged: AveragedModel
    optimizer: torch.optim.Optimizer
    pool: ClickPool
    step: int = 0

    def averaged_model(self) -> SimpleClick:
        """Return the network with averaged weights, on the CPU, in eval mode."""
        model = copy.deepcopy(self.model)
        model.load_state_dict(self.averaged.module.state_dict())
        return model.cpu().eval()


def start(config: TrainConfig, saved: Path | None = None) -> TrainState:
    """Set up a run, from its saved state where that exists.

    Parameters
    ----------
    config : TrainConfig
        The run.
    saved : Path or None
        As `save_state` writes it; None, or a file that is not there, for a new run.
    """
    torch.manual_seed(config.seed)
    values: dict[str, Any] = {}
    if saved is not None and saved.exists():
        values = torch.load(saved, map_location="cpu", weights_only=True)
    model = _model(config).to(config.device).train()
    average = _moving_average(config.ema_decay)
    state = TrainState(
        model,
        AveragedModel(model, avg_fn=average, use_buffers=False),
        _optimizer(model, config),
        _pool(config, values["pool"]["drawn"] if values else 0),
    )
    if values:
        logger.info("resuming from step %d of %s", values["step"], saved)
        _restore(state, values)
    else:
        state.pool.open()
    return state


def save_state(state: TrainState, path: Path) -> None:
    """Write the state to a file that is whole at any moment."""
    values = {
        "step": state.step,
        "model": state.model.state_dict(),
        "averaged": state.averaged.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "pool": state.pool.state_dict(),
        "random": torch.get_rng_state(),
    }
    if state.pool.device.type == "cuda":
        values["cuda_random"] = torch.cuda.get_rng_state()
    unfinished = path.with_suffix(".tmp")
    torch.save(values, unfinished)
    unfinished.replace(path)


def _restore(state: TrainState, values: dict[str, Any]) -> None:
    state.step = values["step"]
    state.model.load_state_dict(values["model"])
    state.averaged.load_state_dict(values["averaged"])
    state.optimizer.load_state_dict(values["optimizer"])
    state.pool.load_state_dict(values["pool"])
    torch.set_rng_state(values["random"])
    if "cuda_random" in values:
        torch.cuda.set_rng_state(values["cuda_random"])


def _model(config: TrainConfig) -> SimpleClick:
    if config.initial is not None:
        model = load_checkpoint(config.initial)
    else:
        model = SimpleClick(VARIANTS[config.variant])
    if config.device == "cpu":
        for module in model.modules():
            if hasattr(module, "fused_attn"):
                # The fused kernel's backward pass takes twice as long on a CPU.
                module.fused_attn = False  # type: ignore[assignment]
    return model


def _optimizer(model: SimpleClick, config: TrainConfig) -> torch.optim.Optimizer:
    """Make AdamW, with weight decay on matrices and kernels alone."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=True
    )


def _pool(config: TrainConfig, drawn: int) -> ClickPool:
    volumes = load_pack(config.data) if config.data else []
    dataset = CanvasDataset(
        volumes,
        size=config.canvas_size,
        seed=config.seed,
        real_fraction=config.real_fraction,
    )
    return ClickPool(
        _canvases(dataset, drawn, config.workers),
        side=config.canvas_size,
        users=config.users,
        max_clicks=config.max_clicks,
        stop_probability=config.stop_probability,
        seed=config.seed,
        device=config.device,
    )


def _canvases(
    dataset: CanvasDataset, first: int, workers: int
) -> Iterator[tuple[Tensor, Tensor]]:
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=range(first, len(dataset)),
        num_workers=workers,
        prefetch_factor=32 if workers else None,
    )
    return iter(loader)


def _moving_average(
    decay: float,
) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Average with a decay that grows to `decay`: the first weights fade fast."""

    def average(mean: Tensor, value: Tensor, count: Tensor | int) -> Tensor:
        weight = 1 - min(decay, (1 + int(count)) / (10 + int(count)))
        return mean.lerp(value, weight)

    return average
