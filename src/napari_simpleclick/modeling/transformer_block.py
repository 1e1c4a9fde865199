"""TransformerBlock: self-attention, then an MLP, each on normalised tokens.

Parameters are named as in timm's block, from whose weights networks start. Timm itself
is not imported: with torchvision, which it imports, it takes as long as torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_simpleclick.modeling.config import LAYER_NORM_EPS

if TYPE_CHECKING:
    from napari_simpleclick.modeling.config import SimpleClickConfig


class TransformerBlock(nn.Module):
    """One block of a plain vision transformer.

    Parameters
    ----------
    config : SimpleClickConfig
        Embedding dimension, heads and width of the MLP.

    References
    ----------
    Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, equations 2 and 3.
    """

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        self.norm1 = nn.LayerNorm(dim, eps=LAYER_NORM_EPS)
        self.attn = SelfAttention(config)
        self.norm2 = nn.LayerNorm(dim, eps=LAYER_NORM_EPS)
        self.mlp = MLP(dim, int(dim * config.mlp_ratio))

    def forward(self, x: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        """Map tokens (B, N, D) to tokens.

        Parameters
        ----------
        x : Tensor
            (B, N, D).
        attn_mask : Tensor or None
            (B, 1, 1, N), bool: which tokens may be attended to; None for all.
        """
        x = x + self.attn(self.norm1(x), attn_mask)
        tokens: Tensor = x + self.mlp(self.norm2(x))
        return tokens


class SelfAttention(nn.Module):
    """Multi-head attention of tokens to one another.

    Parameters
    ----------
    config : SimpleClickConfig
        Embedding dimension and heads.

    Attributes
    ----------
    is_fused : bool
        Whether torch's fused kernel computes it. On a CPU that is faster, but its
        backward pass takes twice as long as that of single operations.
    """

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.is_fused = True
        self.qkv = nn.Linear(config.embed_dim, 3 * config.embed_dim)
        self.proj = nn.Linear(config.embed_dim, config.embed_dim)

    def forward(self, x: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        """Map (B, N, D) to (B, N, D); the mask is that of `TransformerBlock`."""
        qkv = self.qkv(x).unflatten(2, (3, self.num_heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        attend = functional.scaled_dot_product_attention if self.is_fused else _attend
        attended = attend(q, k, v, attn_mask)
        tokens: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return tokens


def _attend(q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None) -> Tensor:
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    attended: Tensor = scores.softmax(dim=-1) @ v
    return attended


class MLP(nn.Module):
    """Two layers with a GELU between.

    Parameters
    ----------
    dim, hidden_dim : int
        Channels outside and between.
    """

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., D) to (..., D)."""
        tokens: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return tokens
