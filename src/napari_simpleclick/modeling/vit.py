"""ViTBackbone: a plain vision transformer with windowed attention."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_simpleclick.modeling.transformer_block import TransformerBlock

if TYPE_CHECKING:
    from napari_simpleclick.modeling.config import SimpleClickConfig


class PatchEmbedding(nn.Module):
    """Non-overlapping patches, each projected to one token.

    Parameters
    ----------
    config : SimpleClickConfig
        Patch size and embedding dimension.
    """

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        patch = config.patch_size
        self.proj = nn.Conv2d(3, config.embed_dim, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        """Embed (B, 3, H, W) as a grid of tokens (B, H/patch, W/patch, D)."""
        tokens: Tensor = self.proj(x)
        return tokens.permute(0, 2, 3, 1)


class ViTBackbone(nn.Module):
    """Plain ViT without class token; attention is windowed but for a few blocks.

    Parameters
    ----------
    config : SimpleClickConfig
        The architecture.

    References
    ----------
    Liu et al., SimpleClick, ICCV 2023, section 3.1; Li et al., Exploring Plain Vision
    Transformer Backbones for Object Detection, ECCV 2022.
    """

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_embed = PatchEmbedding(config)
        # Entry 0 belongs to the class token of the pre-training; it is not used here.
        self.pos_embed = nn.Parameter(
            torch.zeros(1, config.grid_size**2 + 1, config.embed_dim)
        )
        self.blocks = nn.ModuleList(
            TransformerBlock(config) for _ in range(config.depth)
        )

    def forward(self, image: Tensor, click_tokens: Tensor) -> list[Tensor]:
        """Compute the features that the pyramid is built from.

        Parameters
        ----------
        image : Tensor
            (B, 3, H, W), normalised; H and W are multiples of the patch size.
        click_tokens : Tensor
            (B, H/patch, W/patch, D): clicks and previous mask, embedded.

        Returns
        -------
        list of Tensor
            (B, D, H/patch, W/patch) for each of the `feature_depths` of the
            configuration.
        """
        x: Tensor = self.patch_embed(image) + click_tokens
        x = x + self._position_embedding(x.shape[1], x.shape[2]).to(x.dtype)
        depths = self.config.feature_depths
        ends = range(0, self.config.depth + 1, self.config.global_block_interval)
        maps = {}
        for first, last in pairwise(sorted({*ends, *depths})):
            x = self._run(first, last, x)
            maps[last] = x.permute(0, 3, 1, 2)
        return [maps[depth] for depth in depths]

    def _run(self, first: int, last: int, x: Tensor) -> Tensor:
        """Run blocks `first` to `last` - 1, of which only the last may be global."""
        blocks = list(self.blocks[first:last])
        if last % self.config.global_block_interval:
            return self._windowed(blocks, x)
        return self._global(blocks[-1], self._windowed(blocks[:-1], x))

    def _position_embedding(self, height: int, width: int) -> Tensor:
        side = self.config.grid_size
        grid: Tensor = self.pos_embed[:, 1:].reshape(1, side, side, -1)
        return resize_grid(grid, (height, width))

    def _global(self, block: nn.Module, x: Tensor) -> Tensor:
        tokens: Tensor = block(x.flatten(1, 2))
        return tokens.reshape(x.shape)

    def _windowed(self, blocks: list[nn.Module], x: Tensor) -> Tensor:
        batch, height, width, _ = x.shape
        rows = self.config.window_count(height)
        cols = self.config.window_count(width)
        side_h, side_w = ceil(height / rows), ceil(width / cols)
        padding = (0, 0, 0, cols * side_w - width, 0, rows * side_h - height)
        mask = None
        if any(padding):
            inside = functional.pad(x.new_ones(1, height, width, 1), padding)
            inside = _split_windows(inside, rows, cols).squeeze(-1) > 0
            mask = inside.repeat(batch, 1)[:, None, None, :]
            x = functional.pad(x, padding)
        windows = _split_windows(x, rows, cols)
        for block in blocks:
            windows = block(windows, attn_mask=mask)
        x = _join_windows(windows, batch, rows, cols, side_h, side_w)
        return x[:, :height, :width]


def resize_grid(grid: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring a position embedding (1, h, w, D) to another grid, (1, *size, D)."""
    if grid.shape[1:3] == size:
        return grid
    resized: Tensor = functional.interpolate(
        grid.permute(0, 3, 1, 2), size=size, mode="bicubic", align_corners=False
    )
    return resized.permute(0, 2, 3, 1)


def _split_windows(x: Tensor, rows: int, cols: int) -> Tensor:
    """Cut (B, H, W, D) into (B * rows * cols, H/rows * W/cols, D)."""
    batch, height, width, dim = x.shape
    x = x.reshape(batch, rows, height // rows, cols, width // cols, dim)
    return x.transpose(2, 3).reshape(batch * rows * cols, -1, dim)


def _join_windows(
    windows: Tensor, batch: int, rows: int, cols: int, side_h: int, side_w: int
) -> Tensor:
    """Undo `_split_windows`."""
    x = windows.reshape(batch, rows, cols, side_h, side_w, -1)
    return x.transpose(2, 3).reshape(batch, rows * side_h, cols * side_w, -1)
