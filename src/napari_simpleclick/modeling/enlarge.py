"""enlarge: logits at the network's resolution become logits of every pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def enlarge(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring logits to another size, bilinear between corner pixel centres.

    Parameters
    ----------
    logits : Tensor
        (B, 1, h, w), float.
    size : tuple of int
        Height and width, in pixels.

    Returns
    -------
    Tensor
        (B, 1, *size).
    """
    return functional.interpolate(
        logits, size=size, mode="bilinear", align_corners=True
    )
