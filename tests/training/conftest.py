"""A run that takes a second, for all tests that train."""

from pathlib import Path

import pytest
import torch

from napari_simpleclick.modeling.checkpoint import save_checkpoint
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.training.config import TrainConfig

TINY = SimpleClickConfig(
    image_size=32,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    torch.manual_seed(0)
    model = SimpleClick(TINY)
    torch.nn.init.normal_(model.head.conv_seg.weight, std=5)
    torch.nn.init.ones_(model.head.conv_seg.bias)  # some pixels are objects, some not
    save_checkpoint(model, tmp_path / "tiny.safetensors")
    return TrainConfig(
        initial=tmp_path / "tiny.safetensors",
        canvas_size=48,
        input_sizes=(32, 48),
        batch_sizes=(3, 2),
        users=4,
        steps=8,
        warmup_steps=2,
        workers=0,
        log_every=4,
        bfloat16=False,
        tensorboard=False,
    )
