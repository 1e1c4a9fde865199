"""Random clicks to begin with, as the papers sample them in training."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

FEWER = 0.8
"""Chance of one more click over that of the number before; `prob_gamma` as
published."""

INSIDE = 0.9
"""Share of canvases whose positive clicks keep off the outline."""

OFF_OUTLINE = 3
"""By so many pixels, where that leaves more than `SMALLEST_INSIDE`."""

SMALLEST_INSIDE = 10
"""Pixels."""

NEAR = 0.5
"""Share of negative clicks in a ring around the object; the others are anywhere
outside it."""

RING = 0.1
"""Width of that ring over the square root of the object's area."""


def random_clicks(masks: Tensor, largest: int, generator: torch.Generator) -> Tensor:
    """Make one or more positive clicks on each object, and negative ones beside it.

    Parameters
    ----------
    masks : Tensor
        (B, H, W), bool: the objects, none empty.
    largest : int
        Largest number of clicks of either sign, n.
    generator : Generator
        Source of randomness, on the device of the masks.

    Returns
    -------
    Tensor
        (B, 2n, 3), float32: row, column, order; n positive clicks, then n negative
        ones; -1 where there is none.

    References
    ----------
    `MultiPointSampler` in isegm/data/points_sampler.py of uncbiag/SimpleClick, for an
    image with one object.
    """
    positive = _places(_inside(masks, generator), largest, generator)
    count = 1 + _counts(len(masks), largest - 1, generator, masks.device)
    positive = _first(positive, count)
    near = _places(_rings(masks), largest, generator)
    far = _places(~masks, largest, generator)
    chosen = torch.rand(near.shape[:2], generator=generator, device=masks.device)
    negative = torch.where(chosen[..., None] < NEAR, near, far)
    count = _counts(len(masks), largest, generator, masks.device)
    return torch.cat([positive, _first(negative, count)], dim=1)


def _counts(
    batch: int, largest: int, generator: torch.Generator, device: torch.device
) -> Tensor:
    """Draw numbers from 0 to `largest`, each `FEWER` times as often as the last."""
    weight = FEWER ** torch.arange(largest + 1, device=device)
    return torch.multinomial(weight, batch, replacement=True, generator=generator)


def _first(places: Tensor, count: Tensor) -> Tensor:
    """Keep the first `count` of (B, n, 3)."""
    number = torch.arange(places.shape[1], device=places.device)
    return places.where((number < count[:, None])[..., None], -1.0)


def _places(masks: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draw pixels of each mask: (B, count, 3), -1 where the mask is empty."""
    weight = masks.flatten(1).float()
    empty = ~masks.flatten(1).any(dim=1)
    weight[empty] = 1
    drawn = torch.multinomial(weight, count, replacement=True, generator=generator)
    width = masks.shape[2]
    order = torch.full_like(drawn, 100)  # what published code gives random clicks
    places = torch.stack([drawn // width, drawn % width, order], dim=-1).float()
    return places.where(~empty[:, None, None], -1.0)


def _inside(masks: Tensor, generator: torch.Generator) -> Tensor:
    """Erode most masks."""
    inner = ~_dilated(~masks, OFF_OUTLINE)
    enough = inner.sum(dim=(1, 2)) > SMALLEST_INSIDE
    chance = torch.rand(len(masks), generator=generator, device=masks.device)
    eroded = enough & (chance < INSIDE)
    return torch.where(eroded[:, None, None], inner, masks)


def _rings(masks: Tensor) -> Tensor:
    """Return the surroundings of each mask, without it."""
    rings = []
    for mask, area in zip(masks, masks.sum(dim=(1, 2)).tolist(), strict=True):
        width = math.ceil(RING * math.sqrt(area))
        rings.append(_dilated(mask[None], width)[0] & ~mask)
    return torch.stack(rings)


def _dilated(masks: Tensor, reach: int) -> Tensor:
    """Dilate (B, H, W) by a square of 2 reach + 1 pixels."""
    side = 2 * reach + 1
    grown = functional.max_pool2d(masks.float(), (side, 1), 1, (reach, 0))
    return functional.max_pool2d(grown, (1, side), 1, (0, reach)) > 0
