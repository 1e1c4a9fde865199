"""Load and save the weights of a SimpleClick network, whatever file they come in."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from napari_simpleclick.modeling.catalog import find_checkpoint
from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.inferred_config import config_from_tensors
from napari_simpleclick.modeling.published_format import (
    config_from_published,
    published_config,
    unused_parameters,
)
from napari_simpleclick.modeling.simpleclick import (
    UNUSED_PREFIXES,
    SimpleClick,
)
from napari_simpleclick.modeling.torch_file import read_torch_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

__all__ = ["CheckpointError", "export_published", "load_checkpoint", "save_checkpoint"]

_CONFIG_KEY = "config"
_SEEN_IN_TENSORS = (
    "image_size",
    "patch_size",
    "embed_dim",
    "depth",
    "neck_dims",
    "head_dim",
    "mlp_ratio",
)
"""What a configuration must not say otherwise; how to use a network is not seen."""
_DTYPES = (torch.float16, torch.float32)


def load_checkpoint(name_or_path: str | Path = "default") -> SimpleClick:
    """Build the network that a file describes, with the file's weights.

    Nothing in the file is run, and the network is returned whole or not at all.

    Parameters
    ----------
    name_or_path : str or Path
        A name from the catalogue, or a file: published (.pth), a bare state dict
        (.pth, .pt, .safetensors), or written by `save_checkpoint`. The contents decide,
        not the suffix.

    Returns
    -------
    SimpleClick
        In evaluation mode, float32, on the CPU.

    Raises
    ------
    CheckpointError
        If the file is not a checkpoint of a SimpleClick network; the message is one
        sentence.
    FileNotFoundError
        If there is no such file.
    """
    path = find_checkpoint(name_or_path)
    try:
        tensors, config = _read(path)
        return _build(config, tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error}") from error


def save_checkpoint(
    model: SimpleClick,
    path: str | Path,
    *,
    metadata: Mapping[str, str] | None = None,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a network as one safetensors file, all of it or nothing.

    Parameters
    ----------
    model : SimpleClick
        The network.
    path : str or Path
        The file; replaced where it exists.
    metadata : mapping or None
        More text to keep in the file, such as the training data and the licence.
    dtype : torch.dtype
        float16 (half the size) or float32 (exact).

    Raises
    ------
    ValueError
        If `dtype` is another, `metadata` uses the name "config", or a weight is not
        finite in `dtype`.
    OSError
        If the file cannot be written.
    """
    if dtype not in _DTYPES:
        raise ValueError(f"dtype: {dtype}, expected one of {_DTYPES}")
    if _CONFIG_KEY in (metadata or {}):
        raise ValueError(f'metadata: the name "{_CONFIG_KEY}" is taken by the network')
    tensors = {
        name: tensor.detach().to("cpu", dtype).contiguous()
        for name, tensor in model.state_dict().items()
    }
    if broken := _not_finite(tensors):
        raise ValueError(f"model: {broken} is not finite in {dtype}")
    text = {"format": "pt", _CONFIG_KEY: json.dumps(model.config.to_dict())}
    with _replacing(Path(path)) as partial:
        try:
            save_file(tensors, partial, metadata=dict(metadata or {}) | text)
        except SafetensorError as error:
            raise OSError(f"{path} cannot be written: {error}") from error


def export_published(model: SimpleClick, path: str | Path) -> None:
    """Write a network as the published code reads it: {"state_dict", "config"}.

    The parameters that the published modules hold without using are added, so that
    their strict loading succeeds. The file pickles no object of theirs: `loss_decode`,
    which their head only stores, is None.

    Parameters
    ----------
    model : SimpleClick
        The network.
    path : str or Path
        The file; replaced where it exists.

    Raises
    ------
    ValueError
        If the pyramid has another design than "simple", the only one published.
    """
    config = published_config(model.config)
    state = {
        name: tensor.detach().to("cpu", torch.float32)
        for name, tensor in model.state_dict().items()
    }
    state |= unused_parameters(model.config)
    with _replacing(Path(path)) as partial:
        torch.save({"state_dict": state, "config": config}, partial)


def _read(path: Path) -> tuple[dict[str, Tensor], SimpleClickConfig]:
    """Read the used tensors and the configuration that fits them."""
    if not path.is_file():
        raise CheckpointError("is a directory or a device, not a file")
    with path.open("rb") as file:
        start = file.read(9)
    if not start:
        raise CheckpointError("is empty")
    if start[8:] == b"{":
        return _read_safetensors(path)
    content = read_torch_file(path)
    tensors = _used(content.tensors)
    if content.config is None:
        return tensors, config_from_tensors(tensors)
    return tensors, config_from_published(content.config, tensors)


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], SimpleClickConfig]:
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_CONFIG_KEY)
            tensors = _used({name: file.get_tensor(name) for name in file.keys()})
    except SafetensorError as error:
        raise CheckpointError("is a damaged safetensors file") from error
    if text is None:
        return tensors, config_from_tensors(tensors)
    try:
        config = SimpleClickConfig.from_dict(json.loads(text))
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise CheckpointError("has a configuration that cannot be read") from error
    inferred = config_from_tensors(
        tensors, config.num_heads, config.click_radius, config.pyramid
    )
    seen = {name: getattr(inferred, name) for name in _SEEN_IN_TENSORS}
    if any(getattr(config, name) != value for name, value in seen.items()):
        raise CheckpointError("has a configuration that does not fit its tensors")
    return tensors, replace(config, **seen)


def _used(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Drop what `DataParallel` puts before the names, and what is never used."""
    wrapper = "module."
    if all(name.startswith(wrapper) for name in tensors):
        tensors = {name.removeprefix(wrapper): t for name, t in tensors.items()}
    return {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith(UNUSED_PREFIXES)
    }


def _build(config: SimpleClickConfig, tensors: dict[str, Tensor]) -> SimpleClick:
    with torch.device("meta"):  # shapes only: no time goes into random weights
        model = SimpleClick(config)
    _check_shapes(tensors, model.state_dict())
    for name in list(tensors):
        tensors[name] = tensors[name].to(torch.float32, copy=True).contiguous()
    if broken := _not_finite(tensors):
        raise CheckpointError(f"holds weights that are not finite, in {broken}")
    model.load_state_dict(tensors, assign=True)
    return model.eval()


def _check_shapes(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    faults = (
        ("lacks", expected.keys() - tensors.keys()),
        ("has unknown", tensors.keys() - expected.keys()),
        (
            "has mis-shaped",
            {
                name
                for name in expected.keys() & tensors.keys()
                if expected[name].shape != tensors[name].shape
            },
        ),
        ("has non-float", {n for n, t in tensors.items() if not t.is_floating_point()}),
    )
    for fault, names in faults:
        if names:
            shown = ", ".join(name[:60] for name in sorted(names)[:3])
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise CheckpointError(f"{fault} tensors: {shown}{more}")


def _not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """Name the first tensor that holds NaN or an infinity."""
    for name, tensor in tensors.items():
        if not torch.stack(tensor.aminmax()).isfinite().all():
            return name
    return None


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a file to write to, which takes the place of `path` once it is whole."""
    partial = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        partial.touch()
        mode = (path if path.exists() else partial).stat().st_mode
        yield partial
        # safetensors lets nobody else read what it writes; not every file system has
        # permissions, and a checkpoint is worth more than they are.
        with suppress(OSError):
            partial.chmod(mode)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
