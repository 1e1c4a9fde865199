"""open_fabric: the processes and devices of a run, by Lightning Fabric."""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import torch

from napari_simpleclick.modeling.devices import choose_device
from napari_simpleclick.modeling.runtimes.torch_eager import has_bfloat16

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.strategies.strategy import Strategy

    from napari_simpleclick.training.config import TrainConfig

logger = logging.getLogger(__name__)

LONGEST_WAIT: Final = timedelta(hours=4)
"""For another process; the first one validates while the others wait."""


def open_fabric(config: TrainConfig) -> Fabric:
    """Find the processes and devices of a run, and start processes that are missing.

    One process needs nothing. Several are those that `torchrun`, `fabric run` or a
    cluster has started, else `config.devices` of them are started here.

    Parameters
    ----------
    config : TrainConfig
        The run.

    Returns
    -------
    Fabric
        Launched.

    Raises
    ------
    ImportError
        If Lightning Fabric is not installed.
    ValueError
        If the device is not there.
    """
    fabric_class = _fabric_class()
    kind, _, number = config.device.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps"):
        raise ValueError(f'device: {config.device!r}, expected "cpu", "cuda" ...')
    device = torch.device(choose_device(kind))  # type: ignore[arg-type]
    devices, nodes = _count(config)
    fabric = fabric_class(
        accelerator=device.type,
        devices=[int(number)] if number else devices,
        num_nodes=nodes,
        strategy=_strategy(devices, nodes),
        precision=_precision(config, device),
    )
    if not _is_started_by_fabric():
        fabric.launch()
    return fabric


def _fabric_class() -> type[Fabric]:
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise ImportError(
            "training needs the package lightning-fabric: "
            'pip install "napari-simpleclick[train]"'
        ) from error
    return Fabric


def _precision(
    config: TrainConfig, device: torch.device
) -> Literal["bf16-mixed", "32-true"]:
    """Take bfloat16 where it is computed; where it is emulated, it is far slower."""
    if not config.bfloat16:
        return "32-true"
    if has_bfloat16(device):
        return "bf16-mixed"
    logger.info("this %s does not compute in bfloat16: float32 it is", device.type)
    return "32-true"


def _is_started_by_fabric() -> bool:
    return os.environ.get("LT_CLI_USED") == "1"


def _count(config: TrainConfig) -> tuple[int | str, int]:
    """Return the processes on this machine, and the machines."""
    if _is_started_by_fabric():  # which hands them over itself
        return "auto", 1
    if (
        torch.distributed.is_available()
        and torch.distributed.is_torchelastic_launched()
    ):
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        return here, int(os.environ["WORLD_SIZE"]) // here
    return config.devices, config.nodes


def _strategy(devices: int | str, nodes: int) -> str | Strategy:
    """Wait long for others, and leave a single process without any wrapper."""
    several = os.environ.get("WORLD_SIZE", "1") != "1" or (devices, nodes) != (1, 1)
    if not several or "LT_STRATEGY" in os.environ:
        return "auto"
    from lightning_fabric.strategies.ddp import DDPStrategy

    return DDPStrategy(timeout=LONGEST_WAIT)
