"""Operations of a pass, against the sum by hand and against a pass that computes."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from napari_simpleclick.modeling.config import VARIANTS, SimpleClickConfig
from napari_simpleclick.modeling.flops import count_flops
from napari_simpleclick.modeling.simpleclick import SimpleClick


def network(depth, **others):
    sizes = {"image_size": 64, "embed_dim": 16, "num_heads": 2, "head_dim": 8}
    return SimpleClick(
        SimpleClickConfig(depth=depth, neck_dims=(4, 8, 8, 8), **sizes, **others)
    )


@pytest.mark.parametrize("size", [64, 96])
def test_four_more_blocks_cost_their_products_and_their_attention(size):
    tokens, channels = (size // 16) ** 2, 16
    # qkv, output and two MLP layers have 12 D^2 weights; attention multiplies N x N
    # by D twice. A multiplication with its addition is two operations.
    block = 2 * tokens * 12 * channels**2 + 2 * 2 * tokens**2 * channels
    more = count_flops(network(8), size) - count_flops(network(4), size)
    assert more == 4 * block


def test_windows_attend_to_themselves_only():
    tokens, channels = (448 // 16) ** 2, 16
    whole = count_flops(network(4), 448)  # every block attends to all tokens
    halves = count_flops(network(8), 448) - whole  # every second one, to a quarter
    assert halves == 4 * (2 * tokens * 12 * channels**2 + tokens**2 * channels)


def test_the_same_as_counted_while_computing():
    model = network(4).eval()
    points = torch.tensor([[[30.0, 40.0, 0.0], [-1.0, -1.0, -1.0]]])
    # The counter does not know the fused kernel of some processors.
    plain = sdpa_kernel(SDPBackend.MATH)
    with FlopCounterMode(display=False) as counter, torch.no_grad(), plain:
        model(torch.rand(1, 3, 96, 96), torch.rand(1, 1, 96, 96), points)
    assert count_flops(model, 96) == counter.get_total_flops()
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}


def test_the_published_variants_are_near_their_published_counts():
    published = {"xtiny": 10.52e9, "base": 169.78e9, "large": 532.87e9}
    for variant, flops in published.items():
        with torch.device("meta"):
            model = SimpleClick(VARIANTS[variant])
        assert 0.8 < count_flops(model, 448) / flops < 1


def test_a_size_that_does_not_fit_is_a_sentence():
    with pytest.raises(ValueError, match="multiples of 16"):
        count_flops(network(4), 70)
