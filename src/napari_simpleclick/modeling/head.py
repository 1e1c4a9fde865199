"""MLPHead: the four pyramid levels become one map of logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        fusion = self.fusion_conv.conv
        parts = fusion.weight.split(self.conv_seg.in_channels, dim=1)
        # A 1x1 convolution and bilinear interpolation commute: the cheap one first.
        fused = functional.conv2d(self.convs[0](levels[0]), parts[0], fusion.bias)
        for conv, part, level in zip(
            self.convs[1:], parts[1:], levels[1:], strict=True
        ):
            coarse = functional.conv2d(conv(level), part)
            fused = fused + functional.interpolate(
                coarse, size=fused.shape[2:], mode="bilinear", align_corners=False
            )
        logits: Tensor = self.conv_seg(self.dropout(functional.relu(fused)))
        return logits
