"""DetailBranch: what tokens are too coarse for, added to the logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from napari_simpleclick.modeling.config import SimpleClickConfig


class DetailBranch(nn.Module):
    """A few convolutions on the pixels, guided by what the head makes of the tokens.

    The transformer squeezes a patch of image, clicks and previous mask into one token.
    This branch looks at the same pixels at a quarter of the patch's side, so that edges
    stay sharp, and a good previous mask can be kept as it is. It begins by adding
    nothing: a trained network gets it without losing anything.

    Parameters
    ----------
    config : SimpleClickConfig
        With `detail_dim`, the channels of the branch, above 0.

    References
    ----------
    Yao et al., ViTMatte, Information Fusion 2024, sets such convolutions beside a plain
    vision transformer. SimpleClick as published has none.
    """

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        dim, side = config.detail_dim, config.patch_size // 4
        self.embed = nn.Conv2d(6, dim, side, stride=side)
        self.refine = nn.Conv2d(dim, dim, 3, padding=1)
        self.guide = nn.Conv2d(config.head_dim, dim, 1)
        self.mix = nn.Conv2d(dim, dim, 3, padding=1)
        self.conv_seg = nn.Conv2d(dim, 1, 1)
        for parameter in self.conv_seg.parameters():
            nn.init.zeros_(parameter)

    def forward(self, image: Tensor, click_maps: Tensor, fused: Tensor) -> Tensor:
        """Compute what to add to the logits.

        Parameters
        ----------
        image : Tensor
            (B, 3, H, W), normalised.
        click_maps : Tensor
            (B, 3, H, W): previous mask, disks of positive and of negative clicks.
        fused : Tensor
            (B, C, h, w): the head's features, four times the token grid.

        Returns
        -------
        Tensor
            (B, 1, h, w).
        """
        pixels = self.embed(torch.cat((image, click_maps), dim=1))
        detail = self.refine(functional.relu(pixels)) + self.guide(fused)
        mixed = functional.relu(self.mix(functional.relu(detail)))
        logits: Tensor = self.conv_seg(mixed)
        return logits
