"""load_mae: a backbone that a masked autoencoder has pre-trained."""

from __future__ import annotations

import logging
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING

import timm
import torch
from safetensors import SafetensorError, safe_open

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.torch_file import read_torch_file
from napari_simpleclick.modeling.vit import resize_grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from napari_simpleclick.modeling.config import SimpleClickConfig
    from napari_simpleclick.modeling.simpleclick import SimpleClick

logger = logging.getLogger(__name__)

MAE_NAMES = {
    "base": "vit_base_patch16_224.mae",
    "large": "vit_large_patch16_224.mae",
    "huge": "vit_huge_patch14_224.mae",
}
"""Variant to the name under which timm knows its pre-trained backbone."""

_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
_WRAPPER = "module."


def load_mae(model: SimpleClick, source: str | Path) -> None:
    """Give the backbone of a network pre-trained weights, in place.

    Patch embedding, position embedding and blocks are taken over; the position
    embedding is interpolated to the network's grid. What the backbone has no use for
    (class token, last normalisation, classifier, decoder of the autoencoder) is passed
    over. The embedding of the clicks, the pyramid and the head stay as they are.

    Parameters
    ----------
    model : SimpleClick
        The network; unchanged where an error is raised.
    source : str or Path
        A name that timm knows, such as "vit_base_patch16_224.mae", which is fetched
        from the internet at its first use; or a file (.safetensors, .pth) with the
        names of timm or of the published autoencoder, which are the same.

    Raises
    ------
    CheckpointError
        If the file cannot be read, or its tensors do not fit the backbone.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the name is neither a file nor known to timm.
    ConnectionError
        If the weights cannot be fetched.

    References
    ----------
    He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022.
    """
    path = Path(source)
    is_file = path.suffix in _SUFFIXES or path.exists()
    found = _read_file(path) if is_file else _fetch(str(source))
    try:
        state = _backbone_state(found, model.config, model.backbone.state_dict())
    except CheckpointError as error:
        raise CheckpointError(f"{source} {error}") from error
    model.backbone.load_state_dict(state)
    logger.info("backbone from %s", source)


def _read_file(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} with a pre-trained backbone")
    try:
        if path.suffix != ".safetensors":
            return read_torch_file(path).tensors
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise CheckpointError(f"{path} is a damaged safetensors file") from error
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error}") from error


def _fetch(name: str) -> dict[str, Tensor]:
    if name not in timm.list_pretrained():
        raise ValueError(
            f"source: {name!r} is neither a file nor a backbone that timm knows; "
            f"expected a file or one of {', '.join(MAE_NAMES.values())}"
        )
    try:
        backbone = timm.create_model(name, pretrained=True, num_classes=0)
    except (OSError, RuntimeError) as error:
        raise ConnectionError(
            f"{name} could not be fetched: {error} With its file on this computer, "
            "give the path of the file instead of the name."
        ) from error
    state: dict[str, Tensor] = backbone.state_dict()
    return state


def _backbone_state(
    found: Mapping[str, Tensor], config: SimpleClickConfig, wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Pick what the backbone needs, as float32, with the position embedding resized."""
    if found and all(name.startswith(_WRAPPER) for name in found):
        found = {name.removeprefix(_WRAPPER): found[name] for name in found}
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        raise CheckpointError(
            f"is no backbone of {config.depth} blocks with the names of timm or of the "
            f"published autoencoder: it lacks {', '.join(missing[:3])}"
        )
    blocks = {name.split(".")[1] for name in found if name.startswith("blocks.")}
    if len(blocks) != config.depth:
        raise CheckpointError(f"has {len(blocks)} blocks, expected {config.depth}")
    state = {name: found[name].to(torch.float32) for name in wanted}
    state["pos_embed"] = _resized(state["pos_embed"], config.grid_size)
    for name, tensor in state.items():
        if tensor.shape != wanted[name].shape:
            raise CheckpointError(
                f"has {name} of shape {tuple(tensor.shape)}, expected "
                f"{tuple(wanted[name].shape)}: it is of another variant or patch size"
            )
        if not tensor.isfinite().all():
            raise CheckpointError(f"holds weights that are not finite, in {name}")
    return state


def _resized(embedding: Tensor, side: int) -> Tensor:
    """Interpolate (1, 1 + n * n, D), class token first, to (1, 1 + side * side, D)."""
    stored = isqrt(embedding.shape[1] - 1) if embedding.ndim == 3 else 0
    if stored == 0 or stored**2 + 1 != embedding.shape[1]:
        raise CheckpointError(
            f"has a position embedding of shape {tuple(embedding.shape)}, expected "
            "(1, 1 + n * n, D): the class token and a square grid"
        )
    grid = embedding[:, 1:].reshape(1, stored, stored, -1)
    tokens = resize_grid(grid, (side, side)).flatten(1, 2)
    return torch.cat([embedding[:, :1], tokens], dim=1)
