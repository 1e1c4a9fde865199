"""made_small: a canvas as an image of few pixels, as many MRI slices are."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

SMALLEST_CROP: Final = 32.0
"""Pixels of the shortest side that users of small images zoom in to."""
_SIDES: Final = 40, 200
"""Smallest and largest side of a small image, in pixels."""
_LEAST: Final = 16
"""Pixels that the object has to keep."""


def made_small(
    image: Tensor, mask: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Give a canvas few pixels.

    A canvas drawn from a small slice is smooth, and so is its object. In use the object
    consists of whole pixels, its edge has steps, and a click is on one of them.

    Parameters
    ----------
    image : Tensor
        (C, C), uint8.
    mask : Tensor
        (C, C), bool: the object.
    generator : Generator
        Source of randomness. Half of the images are averages over the new pixels, as of
        a coarse scan, the others single ones, which keeps their noise.

    Returns
    -------
    image, mask : Tensor
        (c, c), uint8 and bool, with c from 40 to 200; or as they were, where that is
        not smaller, or where too little is left of the object.
    """
    chance, averaged = torch.rand(2, generator=generator, device=image.device).tolist()
    low, high = (math.log(side) for side in _SIDES)
    side = round(math.exp(low + (high - low) * chance))
    if side >= len(image):
        return image, mask
    layers = torch.stack([image.float(), 255.0 * mask])[None]
    coarse = functional.interpolate(layers, (side, side), mode="area")[0]
    small = coarse[1] > 127.5
    if int(small.sum()) < _LEAST:
        return image, mask
    if averaged < 0.5:
        return coarse[0].round().to(torch.uint8), small
    single = functional.interpolate(layers[:, :1], (side, side), mode="nearest-exact")
    return single[0, 0].to(torch.uint8), small
