from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from timm.layers import resample_abs_pos_embed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.training.pretraining import load_mae


def network(image_size: int = 64, depth: int = 4) -> SimpleClick:
    return SimpleClick(
        SimpleClickConfig(
            image_size=image_size,
            embed_dim=16,
            depth=depth,
            num_heads=2,
            neck_dims=(4, 8, 8, 8),
            head_dim=8,
        )
    ).eval()


def encoder(image_size: int = 64) -> VisionTransformer:
    """Backbone with random weights, none of them at its initial one or zero."""
    torch.manual_seed(3)
    vit = VisionTransformer(
        img_size=image_size, embed_dim=16, depth=4, num_heads=2, num_classes=7
    )
    for parameter in vit.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return vit.eval()


def timm_features(vit: VisionTransformer, image: Tensor) -> Tensor:
    """timm's own forward pass of embedding and blocks, without class token."""
    tokens = vit.blocks(vit.patch_embed(image) + vit.pos_embed[:, 1:])
    side = image.shape[-1] // 16
    return tokens.transpose(1, 2).reshape(len(image), 16, side, side)


def saved(vit: VisionTransformer, path: Path) -> Path:
    state = {name: tensor.contiguous() for name, tensor in vit.state_dict().items()}
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        decoder = {
            "mask_token": torch.zeros(1, 1, 8),
            "decoder_blocks.0.x": state.pop("norm.bias"),
        }
        torch.save({"model": state | decoder}, path)  # as the published files are
    return path


@pytest.mark.parametrize("name", ["vit.safetensors", "mae_pretrain.pth"])
def test_features_are_timms(tmp_path: Path, name: str) -> None:
    vit, model = encoder(), network()
    load_mae(model, saved(vit, tmp_path / name))
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        found = model.backbone(image, torch.zeros(2, 4, 4, 16))[-1]
        torch.testing.assert_close(found, timm_features(vit, image))


def test_the_position_embedding_takes_the_networks_grid(tmp_path: Path) -> None:
    vit, model = encoder(32), network(96)
    load_mae(model, saved(vit, tmp_path / "vit.safetensors"))
    assert model.backbone.pos_embed.shape == (1, 37, 16)
    expected = resample_abs_pos_embed(vit.pos_embed, [6, 6], antialias=False)
    torch.testing.assert_close(model.backbone.pos_embed.data, expected.data)


def test_clicks_pyramid_and_head_are_left_alone(tmp_path: Path) -> None:
    model = network()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    load_mae(model, saved(encoder(), tmp_path / "vit.safetensors"))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]) is not name.startswith("backbone.")


def test_another_depth_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    path = saved(encoder(), tmp_path / "vit.safetensors")
    model = network(depth=8)
    before = model.backbone.pos_embed.clone()
    with pytest.raises(CheckpointError, match="no backbone of 8 blocks"):
        load_mae(model, path)
    assert torch.equal(model.backbone.pos_embed, before)


def test_another_width_is_refused(tmp_path: Path) -> None:
    path = saved(encoder(), tmp_path / "vit.safetensors")
    model = SimpleClick(SimpleClickConfig(depth=4))
    with pytest.raises(CheckpointError, match=r"expected \(1, 785, 160\)"):
        load_mae(model, path)


def test_a_file_that_is_no_backbone_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="names of timm"):
        load_mae(network(), tmp_path / "other.safetensors")
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(CheckpointError, match="begins like no file"):
        load_mae(network(), tmp_path / "text.pth")


def test_sources_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file .*mae\.pth"):
        load_mae(network(), tmp_path / "mae.pth")
    with pytest.raises(ValueError, match=r"neither a file.*vit_base_patch16_224\.mae"):
        load_mae(network(), "vit_giant")
