"""The parts of a training run: network, optimizer and clicks, from its numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from napari_simpleclick.modeling.checkpoint import load_checkpoint
from napari_simpleclick.modeling.config import VARIANTS
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.modeling.transformer_block import SelfAttention
from napari_simpleclick.training.click_pool import ClickPool
from napari_simpleclick.training.dataset import CanvasDataset
from napari_simpleclick.training.drawing_ahead import draw_ahead
from napari_simpleclick.training.iterative import IterativeClicks
from napari_simpleclick.training.mixture import open_mixture
from napari_simpleclick.training.packing import load_pack
from napari_simpleclick.training.parameter_groups import parameter_groups
from napari_simpleclick.training.pretraining import load_mae

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor

    from napari_simpleclick.training.click_source import ClickBatch, ClickSource
    from napari_simpleclick.training.config import TrainConfig
    from napari_simpleclick.training.slices import SliceSource


def build_model(config: TrainConfig, device: torch.device) -> SimpleClick:
    """Make the network, in training mode, on the CPU.

    Parameters
    ----------
    config : TrainConfig
        The run.
    device : torch.device
        Where it will be trained.
    """
    model = _network(config)
    in_pool = config.clicks == "pool"
    model.config = replace(
        model.config,
        second_look=in_pool and config.second_looks > 0,
        flood=in_pool and config.second_looks > 0 and config.flood,
        exact_clicks=in_pool,
        obey_clicks=in_pool and config.obey_clicks,
        steady=in_pool and config.steady,
    )
    if device.type == "cpu":
        for module in model.modules():
            if isinstance(module, SelfAttention):
                module.is_fused = False
    return model.train()


def _network(config: TrainConfig) -> SimpleClick:
    if config.initial is not None:
        return load_checkpoint(config.initial)
    design = VARIANTS[config.variant]
    model = SimpleClick(replace(design, pyramid=config.pyramid or design.pyramid))
    if config.pretrained is not None:
        load_mae(model, config.pretrained)
    return model


def build_optimizer(model: SimpleClick, config: TrainConfig) -> torch.optim.Optimizer:
    """Make AdamW; its groups say by "lr_scale" how fast each learns."""
    groups = parameter_groups(
        model,
        weight_decay=config.weight_decay,
        layer_decay=config.layer_decay,
        freeze_backbone=config.freeze_backbone,
    )
    return torch.optim.AdamW(
        groups, lr=config.learning_rate, betas=config.betas, fused=True
    )


def build_clicks(
    config: TrainConfig,
    fabric: Fabric,
    model: SimpleClick,
    drawn: int,
    source: SliceSource | None = None,
) -> ClickSource:
    """Make the simulated users of one process.

    Parameters
    ----------
    config : TrainConfig
        The run.
    fabric : Fabric
        Every process has users and canvases of its own.
    model : SimpleClick
        Asked for answers without gradients, by iterative clicks.
    drawn : int
        Canvases that this process has taken before.
    source : SliceSource or None
        Where all slices come from; None for what `config` names.
    """
    first = fabric.global_rank + drawn * fabric.world_size
    dataset = _dataset(config, source)
    canvases = draw_ahead(dataset, first, fabric.world_size, config.workers)
    seed = config.seed + fabric.global_rank
    if config.clicks == "iterative":
        return IterativeClicks(
            canvases,
            _Answering(model, fabric),
            max_points=config.max_points,
            rounds=config.rounds,
            seed=seed,
            device=fabric.device,
        )
    return ClickPool(
        canvases,
        side=config.canvas_size,
        users=config.users,
        max_clicks=config.max_clicks,
        stop_probability=config.stop_probability,
        second_looks=config.second_looks,
        flood=config.flood,
        obey=config.obey_clicks,
        steady=config.steady,
        small_images=config.small_images,
        seed=seed,
        device=str(fabric.device),
    )


class _Answering:
    """Answers of the network, without gradients, dropout and its DDP wrapper."""

    def __init__(self, model: SimpleClick, fabric: Fabric) -> None:
        self.model = model
        self.fabric = fabric

    def __call__(self, batch: ClickBatch) -> Tensor:
        self.model.eval()
        with torch.no_grad(), self.fabric.autocast():
            logits: Tensor = self.model(batch.image, batch.prev_mask, batch.points)
        self.model.train()
        return logits.float().sigmoid()


def _dataset(config: TrainConfig, source: SliceSource | None) -> CanvasDataset:
    if source is None and config.sources:
        source = open_mixture(config.sources)
    return CanvasDataset(
        load_pack(config.data) if config.data else (),
        size=config.canvas_size,
        seed=config.seed,
        real_fraction=config.real_fraction,
        source=source,
    )
