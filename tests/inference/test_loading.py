from dataclasses import replace
from pathlib import Path

import torch

from napari_simpleclick.inference.loading import load_predictor, predictor_for
from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick

SMALL = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)


def test_a_checkpoint_is_used_as_its_configuration_says(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = replace(SMALL, min_crop=48, second_look=True, obey_clicks=True)
    save_checkpoint(SimpleClick(config), tmp_path / "own.safetensors")
    predictor = load_predictor(tmp_path / "own.safetensors", device="cpu")
    assert predictor.input_size == 64
    assert predictor.zoom_in is not None
    assert predictor.zoom_in.min_crop == 48
    assert predictor.second_look
    assert predictor.obey


def test_published_networks_are_used_as_published() -> None:
    network = SimpleClick(SMALL).eval()
    predictor = predictor_for(network, network.config, input_size=32, flip=True)
    assert predictor.input_size == 32
    assert predictor.flip
    assert predictor.zoom_in is not None
    assert predictor.zoom_in.min_crop == 200
    assert not predictor.second_look
    assert not predictor.obey
