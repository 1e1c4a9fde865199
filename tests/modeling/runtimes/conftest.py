from pathlib import Path

import pytest
import torch

from napari_simpleclick.modeling.checkpoint import load_checkpoint, save_checkpoint
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
from napari_simpleclick.modeling.runtimes.runtime_cache import RuntimeCache
from napari_simpleclick.modeling.simpleclick import SimpleClick

TINY = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network whose masks of the test slice have an outside and an inside."""
    torch.manual_seed(0)
    network = SimpleClick(TINY).eval()
    with torch.no_grad():
        network.head.conv_seg.weight.mul_(40)
        network.head.conv_seg.bias.fill_(-1.5)
    path = tmp_path_factory.mktemp("checkpoint") / "tiny.safetensors"
    save_checkpoint(network, path)
    return path


@pytest.fixture(scope="session")
def network(checkpoint: Path) -> SimpleClick:
    return load_checkpoint(checkpoint)


@pytest.fixture
def source(checkpoint: Path) -> NetworkSource:
    return NetworkSource.from_file(checkpoint)


@pytest.fixture
def cache(tmp_path: Path) -> RuntimeCache:
    return RuntimeCache(tmp_path / "cache")
