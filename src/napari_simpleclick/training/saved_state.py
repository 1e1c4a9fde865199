"""The saved state of a run: read, and compared with the run that is to go on."""

from __future__ import annotations

import struct
from io import BytesIO
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    from pathlib import Path

    from napari_simpleclick.modeling.simpleclick import SimpleClick
    from napari_simpleclick.training.config import TrainConfig

NAMES: Final = frozenset({"step", "model", "averaged", "optimizer", "pool", "random"})
"""What every version of the file holds."""


def read_state(path: Path) -> dict[str, Any]:
    """Read the state that `save_state` wrote.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged, or something else.
    """
    content = BytesIO(path.read_bytes())
    try:
        values = torch.load(content, map_location="cpu", weights_only=True)
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        TypeError,
        UnpicklingError,
        ValueError,
        struct.error,
    ) as error:  # whatever torch comes upon in a damaged file
        raise _unreadable(path) from error
    if not isinstance(values, dict) or not values.keys() >= NAMES:
        raise _unreadable(path)
    return values


def check_state(
    values: dict[str, Any],
    config: TrainConfig,
    model: SimpleClick,
    optimizer: torch.optim.Optimizer,
    saved: Path,
) -> None:
    """Refuse the state of a run that this one cannot carry on.

    Parameters
    ----------
    values : dict
        As `read_state` gives them.
    config : TrainConfig
        The run.
    model, optimizer
        As `assembly` made them.
    saved : Path
        Where the values come from.

    Raises
    ------
    ValueError
        If the network, what of it is trained, or the clicks are others.
    """
    fault = (
        _other_network(values["model"], config, model)
        or _other_groups(values["optimizer"], config, optimizer)
        or _other_clicks(values["pool"], config)
    )
    if fault:
        raise ValueError(
            f"{saved} holds {fault}; go on with what it was begun with, or begin anew "
            "by --restart"
        )


def _other_network(
    there: dict[str, torch.Tensor], config: TrainConfig, model: SimpleClick
) -> str | None:
    here = model.state_dict()
    for name in sorted(here.keys() | there.keys()):
        shapes = [tuple(of[name].shape) if name in of else None for of in (there, here)]
        if shapes[0] != shapes[1]:
            return (
                f"another network than variant {config.variant!r}, pyramid "
                f"{config.pyramid!r}, initial {config.initial!r} give ({name} has "
                f"shape {shapes[0]}, expected {shapes[1]})"
            )
    return None


def _other_groups(
    there: dict[str, Any], config: TrainConfig, optimizer: torch.optim.Optimizer
) -> str | None:
    sizes = [
        [len(group["params"]) for group in groups]
        for groups in (there["param_groups"], optimizer.param_groups)
    ]
    if sizes[0] == sizes[1]:
        return None
    return (
        "a run of another freeze_backbone or layer_decay than "
        f"{config.freeze_backbone} and {config.layer_decay}"
    )


def _other_clicks(there: dict[str, Any], config: TrainConfig) -> str | None:
    is_pool = "image" in there
    if is_pool != (config.clicks == "pool"):
        return f"a run of other clicks than {config.clicks!r}"
    side = there["image"].shape[-1] if is_pool else config.canvas_size
    if side != config.canvas_size:
        return f"canvases of {side} pixels, expected canvas_size {config.canvas_size}"
    return None


def _unreadable(path: Path) -> ValueError:
    return ValueError(
        f"{path} is damaged, or no state of a run; begin anew by --restart"
    )
