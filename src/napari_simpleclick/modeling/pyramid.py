"""SimpleFeaturePyramid: four scales from the last feature map of a plain ViT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from napari_simpleclick.modeling.config import SimpleClickConfig


class SimpleFeaturePyramid(nn.Module):
    """Features at 4, 2, 1 and 1/2 times the token grid, by (transposed) convolution.

    Parameters
    ----------
    config : SimpleClickConfig
        Embedding dimension and channels of the four levels.

    References
    ----------
    Liu et al., SimpleClick, ICCV 2023, section 3.1, the "simple" pyramid. The names
    `down_4` ... `down_32` of the published weights are strides for patch size 16.
    """

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        dim_4, dim_8, dim_16, dim_32 = config.neck_dims
        wide_4, wide_8 = max(2 * dim_4, dim // 2), max(dim_8, dim // 2)
        wide_32 = max(dim_32, 2 * dim)
        self.down_4 = nn.Sequential(
            nn.ConvTranspose2d(dim, wide_4, 2, stride=2),
            nn.GroupNorm(1, wide_4),
            nn.GELU(),
            nn.ConvTranspose2d(wide_4, wide_4 // 2, 2, stride=2),
            nn.GroupNorm(1, wide_4 // 2),
            *_project(wide_4 // 2, dim_4),
        )
        self.down_8 = nn.Sequential(
            nn.ConvTranspose2d(dim, wide_8, 2, stride=2),
            nn.GroupNorm(1, wide_8),
            *_project(wide_8, dim_8),
        )
        self.down_16 = nn.Sequential(*_project(dim, dim_16))
        self.down_32 = nn.Sequential(
            nn.Conv2d(dim, wide_32, 2, stride=2),
            nn.GroupNorm(1, wide_32),
            *_project(wide_32, dim_32),
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Turn (B, D, h, w) into four maps, finest first.

        Parameters
        ----------
        x : Tensor
            (B, D, h, w), the token grid.

        Returns
        -------
        list of Tensor
            (B, C_i, s_i * h, s_i * w) for s = 4, 2, 1, 1/2. An odd h or w loses its
            last row or column at the coarsest level, and a side of one token is
            doubled there first.
        """
        coarse = x
        for axis in (2, 3):
            if x.shape[axis] == 1:
                coarse = coarse.repeat_interleave(2, dim=axis)
        return [
            self.down_4(x),
            self.down_8(x),
            self.down_16(x),
            self.down_32(coarse),
        ]


def _project(channels: int, out_channels: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(channels, out_channels, 1),
        nn.GroupNorm(1, out_channels),
        nn.GELU(),
    )
