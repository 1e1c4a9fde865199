"""count_flops: what one pass through a network costs, whatever computes it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode


def count_flops(network: nn.Module, size: int) -> int:
    """Count the floating-point operations of one forward pass on one square image.

    Nothing is computed: the pass runs on tensors that have shapes but no values, so a
    large network takes no time and no memory. A multiplication with its addition
    counts as two. Counted are matrix products, convolutions and the products of
    attention; not counted are normalisation, activations, softmax and resizing.

    Parameters
    ----------
    network : Module
        Called as `SimpleClick` is: image, previous mask, points. It stays as it is, on
        whatever device.
    size : int
        Side of the image in pixels, a multiple of the patch size.

    Returns
    -------
    int
        Operations; the number of clicks and the values make no difference.

    Raises
    ------
    ValueError
        If the network does not take images of this size.
    """
    state = dict[str, Tensor](network.named_parameters())
    state.update(network.named_buffers())
    shapes = {name: torch.empty_like(t, device="meta") for name, t in state.items()}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        functional_call(network, shapes, _inputs(size))
    total: int = counter.get_total_flops()
    return total


def _inputs(size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Make an image, a previous mask and one click of each sign, without values."""
    with torch.device("meta"):
        return (
            torch.empty(1, 3, size, size),
            torch.empty(1, 1, size, size),
            torch.empty(1, 2, 3),
        )
