from dataclasses import replace

import numpy as np
import openvino
import pytest
import torch

from napari_simpleclick.modeling.config import PYRAMIDS, Pyramid, SimpleClickConfig
from napari_simpleclick.modeling.network_weights import NetworkWeights
from napari_simpleclick.modeling.runtimes.openvino_graph import build_graph
from napari_simpleclick.modeling.simpleclick import SimpleClick
from tests.modeling.runtimes.conftest import TINY


def differing_network(config: SimpleClickConfig) -> SimpleClick:
    """A network no two parts of which are alike, norms and biases included."""
    torch.manual_seed(1)
    network = SimpleClick(config).eval()
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.add_(0.1 * torch.randn_like(tensor))
    return network


@pytest.mark.parametrize("pyramid", PYRAMIDS)
@pytest.mark.parametrize(
    ("size", "patch", "depth"),
    [
        (64, 16, 4),  # one window, as at pre-training
        (448, 16, 4),  # four windows, and another size than the position embedding's
        (464, 16, 8),  # 29 tokens: windows are padded, and so masked
        (16, 16, 4),  # a single token, and half of it
        (462, 14, 12),  # 33 tokens of ViT-H's patches; ViT-B's global blocks
    ],
)
def test_it_answers_as_torch_does(
    pyramid: Pyramid, size: int, patch: int, depth: int
) -> None:
    config = replace(
        TINY, pyramid=pyramid, patch_size=patch, image_size=4 * patch, depth=depth
    )
    network = differing_network(config)
    rng = np.random.default_rng(size)
    image, maps = rng.random((2, 1, 3, size, size), dtype=np.float32)
    graph = build_graph(NetworkWeights.of(network), size)
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(graph, "CPU", precise)
    answer = compiled([image, maps])[0]
    with torch.inference_mode():
        expected = network.logits_from_maps(*map(torch.from_numpy, (image, maps)))
    largest = float(expected.abs().max())
    assert largest > 0.01
    np.testing.assert_allclose(answer, expected.numpy(), rtol=0, atol=1e-4 * largest)
