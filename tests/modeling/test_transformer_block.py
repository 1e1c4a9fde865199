import subprocess
import sys
from functools import partial

import pytest
import torch
from timm.models.vision_transformer import Block
from torch import nn

from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.transformer_block import TransformerBlock

CONFIG = SimpleClickConfig(embed_dim=48, num_heads=3, mlp_ratio=2.5)


@pytest.fixture
def timms() -> nn.Module:
    """Timm's block of the same size, of which no two parts are alike."""
    torch.manual_seed(0)
    norm = partial(nn.LayerNorm, eps=1e-6)
    block = Block(48, 3, mlp_ratio=2.5, qkv_bias=True, norm_layer=norm)
    with torch.no_grad():
        for tensor in block.parameters():
            tensor.add_(0.1 * torch.randn_like(tensor))
    return block


@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize("is_fused", [True, False])
def test_it_computes_as_timms_does(
    timms: nn.Module, *, is_masked: bool, is_fused: bool
) -> None:
    block = TransformerBlock(CONFIG)
    block.load_state_dict(timms.state_dict())
    block.attn.is_fused = is_fused
    tokens = torch.randn(2, 30, 48)
    mask = torch.rand(2, 1, 1, 30) > 0.3 if is_masked else None
    with torch.no_grad():
        expected = timms(tokens, attn_mask=mask)
        torch.testing.assert_close(block(tokens, mask), expected, rtol=0, atol=1e-5)
        if is_masked:
            assert not torch.allclose(block(tokens), expected, rtol=0, atol=1e-3)


def test_a_network_is_there_without_what_takes_seconds_to_import() -> None:
    code = (
        "import sys\n"
        "from napari_simpleclick.modeling.checkpoint import load_checkpoint\n"
        "load_checkpoint('default')\n"
        "assert not {'timm', 'torchvision', 'torch._dynamo'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
