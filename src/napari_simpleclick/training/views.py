"""What the network is shown beside the pixels of a view: clicks, and three channels."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_simpleclick.training import zoom

TINTED = 0.1
"""Share of the images whose three channels differ."""


def points_in_view(clicks: Tensor, counts: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Say where clicks lie in views; those outside are left out.

    Parameters
    ----------
    clicks : Tensor
        (B, n, 3), float: row and column in pixels of a canvas, and 1 for a positive
        click.
    counts : Tensor
        (B,): how many of them were made.
    boxes : Tensor
        (B, 4), float: what the views show, as `zoom` describes it.
    size : int
        Side of the views in pixels.

    Returns
    -------
    Tensor
        (B, 2m, 3), float, as `encode_clicks` takes them, with m the largest count.
    """
    count = int(counts.max())
    clicks = clicks[:, :count]
    place = zoom.in_view(clicks[..., :2], boxes, size)
    number = torch.arange(count, device=clicks.device)
    order = number.expand(len(clicks), -1)[..., None]
    visible = ((place > -0.5) & (place < size - 0.5)).all(dim=-1)
    visible &= number < counts[:, None]
    positive = clicks[..., 2] > 0
    points = torch.cat([place.clamp(min=0), order], dim=-1).repeat(1, 2, 1)
    kept = torch.cat([visible & positive, visible & ~positive], dim=1)
    return points.where(kept[..., None], -1.0)


def tinted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Make three channels of (B, 1, S, S): equal ones, but for a share `TINTED`."""
    count, device = len(images), images.device
    tint = 1 - 0.5 * torch.rand((count, 3), generator=generator, device=device)
    chance = torch.rand((count, 1), generator=generator, device=device)
    return images * tint.where(chance < TINTED, 1.0)[:, :, None, None]
