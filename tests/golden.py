"""Recorded outputs of the published implementation and the inputs they belong to."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

FIXTURES = Path(__file__).parent / "fixtures" / "golden"
# The recordings that are too large for a clone may lie beside the checkout.
BESIDE = Path(__file__).parents[2] / "shared" / "golden"


def path(name: str) -> Path:
    """Return where a recording lies: in the clone or beside it."""
    return FIXTURES / name if (FIXTURES / name).exists() else BESIDE / name


def load(name: str) -> dict[str, NDArray[Any]]:
    with np.load(path(name)) as file:
        return dict(file)


def parameters(variant: str) -> dict[str, torch.Tensor]:
    """Every published parameter as a fixed function of its name."""
    shapes = json.loads(path("state_dict_shapes.json").read_text())[variant]
    return {key: parameter(key, tuple(shape)) for key, shape in shapes.items()}


def parameter(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    rng = np.random.Generator(np.random.Philox(key=zlib.crc32(key.encode())))
    z = rng.standard_normal(shape, dtype=np.float32)
    if len(shape) == 1:
        z = np.float32(key.endswith("weight")) + np.float32(0.1) * z
    elif key.endswith(("pos_embed", "cls_token")):
        z = np.float32(0.5) * z
    else:
        z = z / np.float32(np.sqrt(np.prod(shape) / shape[0]))
    return torch.from_numpy(z.astype(np.float32))


def inputs(seed: int, shape: tuple[int, int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Image (b, 3, h, w) and previous mask (b, 1, h, w) of a recorded forward pass."""
    batch, height, width = shape
    rng = np.random.Generator(np.random.Philox(key=seed))
    image = rng.random((batch, 3, height, width), dtype=np.float32)
    prev_mask = rng.random((batch, 1, height, width), dtype=np.float32)
    return torch.from_numpy(image), torch.from_numpy(prev_mask)
