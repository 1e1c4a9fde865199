"""SimpleClick: the whole network, from image, previous mask and clicks to logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from napari_simpleclick.modeling.click_encoding import encode_clicks
from napari_simpleclick.modeling.config import IMAGENET_MEAN, IMAGENET_STD
from napari_simpleclick.modeling.enlarge import enlarge
from napari_simpleclick.modeling.head import MLPHead
from napari_simpleclick.modeling.pyramid import FeaturePyramid
from napari_simpleclick.modeling.vit import PatchEmbedding, ViTBackbone

if TYPE_CHECKING:
    from napari_simpleclick.modeling.config import SimpleClickConfig

UNUSED_PREFIXES = (
    "backbone.cls_token",
    "backbone.fc_norm.",
    "backbone.head.",
    "head.up_conv1.",
    "head.up_conv2.",
)
"""Parameters in published files that take no part in the forward pass."""


class SimpleClick(nn.Module):
    """Interactive segmentation with a plain vision transformer.

    The names of the parameters are those of the published weights. A state dict that
    also holds the published parameters without a use (`UNUSED_PREFIXES`) loads too.

    Parameters
    ----------
    config : SimpleClickConfig
        The architecture.

    References
    ----------
    Liu, Xu, Bertasius, Niethammer: SimpleClick: Interactive Image Segmentation with
    Simple Vision Transformers, ICCV 2023, https://arxiv.org/abs/2210.11006
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_embed_coords = PatchEmbedding(config)
        self.backbone = ViTBackbone(config)
        self.neck = FeaturePyramid(config)
        self.head = MLPHead(config)
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            channels = torch.tensor(values, device="cpu").reshape(1, 3, 1, 1)
            self.register_buffer(name, channels, persistent=False)
        self.register_load_state_dict_pre_hook(_drop_unused)  # type: ignore[no-untyped-call]
        self.apply(_initialise)
        # Without memory there is nothing to draw, and torch would import its compiler.
        if not self.backbone.pos_embed.is_meta:
            nn.init.normal_(self.backbone.pos_embed, std=0.02)

    def forward(self, image: Tensor, prev_mask: Tensor, points: Tensor) -> Tensor:
        """Compute the logits of the clicked object.

        Parameters
        ----------
        image : Tensor
            (B, 3, H, W), float in [0, 1]; H and W are multiples of the patch size.
        prev_mask : Tensor
            (B, 1, H, W), float in [0, 1]: the previous probability, 0 at the start.
        points : Tensor
            (B, 2n, 3), float: clicks as `encode_clicks` takes them.

        Returns
        -------
        Tensor
            (B, 1, H, W): logits.

        Raises
        ------
        ValueError
            If a shape does not fit.
        """
        logits = self.low_res_logits(image, prev_mask, points)
        return enlarge(logits, (image.shape[2], image.shape[3]))

    def low_res_logits(
        self, image: Tensor, prev_mask: Tensor, points: Tensor
    ) -> Tensor:
        """Compute the logits at the pyramid's finest level; parameters as `forward`.

        That is four times the token grid, or the token grid itself where all levels
        are at one scale.
        """
        self.check(image, prev_mask, points)
        height, width = image.shape[2:]
        disks = encode_clicks(points, (height, width), self.config.click_radius)
        maps = torch.cat((prev_mask, disks.to(prev_mask.dtype)), dim=1)
        return self.logits_from_maps(image, maps)

    def logits_from_maps(self, image: Tensor, click_maps: Tensor) -> Tensor:
        """Compute the logits of `low_res_logits` from clicks that are drawn already.

        Parameters
        ----------
        image : Tensor
            As for `forward`.
        click_maps : Tensor
            (B, 3, H, W): previous mask, disks of positive and of negative clicks.
        """
        normalised = (image - self.mean) / self.std
        features = self.backbone(normalised, self.patch_embed_coords(click_maps))
        logits: Tensor = self.head(self.neck(features))
        return logits

    def check(self, image: Tensor, prev_mask: Tensor, points: Tensor) -> None:
        """Raise ValueError if shapes are not as `forward` takes them."""
        patch = self.config.patch_size
        batch, channels, height, width = image.shape
        if channels != 3 or height % patch or width % patch or not height * width:
            raise ValueError(
                f"image: shape {tuple(image.shape)}, expected (B, 3, H, W) with H and "
                f"W multiples of {patch}"
            )
        if prev_mask.shape != (batch, 1, height, width):
            raise ValueError(
                f"prev_mask: shape {tuple(prev_mask.shape)}, expected "
                f"{(batch, 1, height, width)}"
            )
        if points.shape[0] != batch:
            raise ValueError(
                f"points: batch of {points.shape[0]}, expected {batch} like the image"
            )


def _drop_unused(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: Any
) -> None:
    for key in list(state_dict):
        if key.startswith(tuple(prefix + unused for unused in UNUSED_PREFIXES)):
            del state_dict[key]


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, PatchEmbedding):
        nn.init.xavier_uniform_(module.proj.weight.flatten(1))
