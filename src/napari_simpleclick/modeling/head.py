"""MLPHead: the four pyramid levels become one map of logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from napari_simpleclick.modeling.config import SimpleClickConfig


class PointwiseConv(nn.Module):
    """A 1x1 convolution followed by ReLU.

    Parameters
    ----------
    channels, out_channels : int
        Channels in and out.
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H, W)."""
        return functional.relu(self.conv(x))


class MLPHead(nn.Module):
    """Project every level to the same channels, bring it to the finest, fuse.

    Parameters
    ----------
    config : SimpleClickConfig
        Channels of the levels and of the head.

    References
    ----------
    Xie et al., SegFormer, NeurIPS 2021, section 3.2; Liu et al., SimpleClick, 2023.
    """

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        dim = config.head_dim
        self.convs = nn.ModuleList(PointwiseConv(c, dim) for c in config.neck_dims)
        self.fusion_conv = PointwiseConv(dim * len(config.neck_dims), dim)
        self.dropout = nn.Dropout2d(0.1)
        self.conv_seg = nn.Conv2d(dim, 1, 1)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Compute logits.

        Parameters
        ----------
        levels : list of Tensor
            (B, C_i, h_i, w_i), finest first.

        Returns
        -------
        Tensor
            (B, 1, h_0, w_0): logits at the finest level.
        """
        size = levels[0].shape[2:]
        maps = [
            functional.interpolate(
                conv(level), size=size, mode="bilinear", align_corners=False
            )
            for conv, level in zip(self.convs, levels, strict=True)
        ]
        fused = self.dropout(self.fusion_conv(torch.cat(maps, dim=1)))
        logits: Tensor = self.conv_seg(fused)
        return logits
