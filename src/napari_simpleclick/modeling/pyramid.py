"""FeaturePyramid: four levels from the feature maps of a plain ViT, in four designs.

Two properties make the designs: whether the levels differ in scale, and whether all are
built from the last feature map or each from another depth.

=============  =====================  ============================
design         scales                 features
=============  =====================  ============================
simple         4, 2, 1, 1/2           last map
single-scale   1, 1, 1, 1             last map
parallel       4, 2, 1, 1/2           maps of four depths
partial        1, 1, 1, 1             maps of four depths
=============  =====================  ============================

Scales are times the token grid. The four depths are those after each quarter of the
blocks; the finest level takes the shallowest, as in a hierarchical network.

SimpleClick names these four designs and compares them, but only the code of "simple" is
published. "single-scale" drops the scales and "parallel" the last map alone, as the
paper says; that "partial" drops both is the reading taken here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from napari_simpleclick.modeling.config import GROUP_NORM_EPS

if TYPE_CHECKING:
    from napari_simpleclick.modeling.config import SimpleClickConfig


class FeaturePyramid(nn.Module):
    """Four levels, by (transposed) convolution of the feature maps.

    Parameters
    ----------
    config : SimpleClickConfig
        Embedding dimension, channels of the four levels, and design.

    References
    ----------
    Liu et al., SimpleClick, ICCV 2023, section 3.1 and the ablation of pyramids; Li et
    al., Exploring Plain Vision Transformer Backbones for Object Detection, ECCV 2022,
    figure 2. The names `down_4` ... `down_32` of the published weights are strides for
    patch size 16.
    """

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        dim_4, dim_8, dim_16, dim_32 = config.neck_dims
        self.is_multi_scale = config.is_multi_scale
        if self.is_multi_scale:
            self.down_4 = _four_times(dim, dim_4)
            self.down_8 = _twice(dim, dim_8)
            self.down_16 = _project(dim, dim_16)
            self.down_32 = _half(dim, dim_32)
        else:
            self.down_4 = _project(dim, dim_4)
            self.down_8 = _project(dim, dim_8)
            self.down_16 = _project(dim, dim_16)
            self.down_32 = _project(dim, dim_32)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Turn four feature maps into four levels, finest first.

        Parameters
        ----------
        maps : list of Tensor
            (B, D, h, w) each, on the token grid; one tensor may stand for several.

        Returns
        -------
        list of Tensor
            (B, C_i, s_i * h, s_i * w) for the scales s of the design. At half the
            scale an odd h or w loses its last row or column, and a side of one token
            is doubled first.
        """
        fine, middle, same, coarse = maps
        if self.is_multi_scale:
            coarse = _at_least_two(coarse)
        return [
            self.down_4(fine),
            self.down_8(middle),
            self.down_16(same),
            self.down_32(coarse),
        ]


def _four_times(dim: int, out_dim: int) -> nn.Sequential:
    wide = max(2 * out_dim, dim // 2)
    return nn.Sequential(
        nn.ConvTranspose2d(dim, wide, 2, stride=2),
        nn.GroupNorm(1, wide, GROUP_NORM_EPS),
        nn.GELU(),
        nn.ConvTranspose2d(wide, wide // 2, 2, stride=2),
        nn.GroupNorm(1, wide // 2, GROUP_NORM_EPS),
        *_project(wide // 2, out_dim),
    )


def _twice(dim: int, out_dim: int) -> nn.Sequential:
    wide = max(out_dim, dim // 2)
    return nn.Sequential(
        nn.ConvTranspose2d(dim, wide, 2, stride=2),
        nn.GroupNorm(1, wide, GROUP_NORM_EPS),
        *_project(wide, out_dim),
    )


def _half(dim: int, out_dim: int) -> nn.Sequential:
    wide = max(out_dim, 2 * dim)
    return nn.Sequential(
        nn.Conv2d(dim, wide, 2, stride=2),
        nn.GroupNorm(1, wide, GROUP_NORM_EPS),
        *_project(wide, out_dim),
    )


def _project(dim: int, out_dim: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(dim, out_dim, 1),
        nn.GroupNorm(1, out_dim, GROUP_NORM_EPS),
        nn.GELU(),
    )


def _at_least_two(x: Tensor) -> Tensor:
    for axis in (2, 3):
        if x.shape[axis] == 1:
            x = x.repeat_interleave(2, dim=axis)
    return x
