import pytest

from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.training.parameter_groups import parameter_groups


def network() -> SimpleClick:
    return SimpleClick(
        SimpleClickConfig(
            image_size=64,
            embed_dim=16,
            depth=4,
            num_heads=2,
            neck_dims=(4, 8, 8, 8),
            head_dim=8,
        )
    )


def scales(model: SimpleClick, decay: float | None) -> dict[str, float]:
    """Part of the full rate of every parameter by name."""
    names = {id(p): name for name, p in model.named_parameters()}
    groups = parameter_groups(model, weight_decay=0.1, layer_decay=decay)
    return {names[id(p)]: g["lr_scale"] for g in groups for p in g["params"]}


def test_without_layer_decay_there_are_matrices_and_vectors() -> None:
    model = network()
    groups = parameter_groups(model, weight_decay=0.1)
    matrices, vectors = groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert [group["lr_scale"] for group in groups] == [1.0, 1.0]
    parameters = list(model.parameters())
    assert [id(p) for p in matrices["params"]] == [
        id(p) for p in parameters if p.ndim > 1
    ]
    assert len(matrices["params"]) + len(vectors["params"]) == len(parameters)


def test_rates_fall_layer_by_layer_towards_the_image() -> None:
    model = network()
    found = scales(model, 0.5)
    assert len(found) == len(list(model.parameters()))
    assert found["head.conv_seg.weight"] == 1.0
    assert found["neck.down_4.0.bias"] == 1.0
    assert found["patch_embed_coords.proj.weight"] == 1.0
    assert found["backbone.blocks.3.attn.qkv.weight"] == 0.5
    assert found["backbone.blocks.2.norm1.bias"] == 0.25
    assert found["backbone.blocks.0.mlp.fc1.weight"] == 0.0625
    assert found["backbone.patch_embed.proj.weight"] == 0.03125
    assert found["backbone.pos_embed"] == 0.03125


def test_the_slowest_layer_comes_first() -> None:
    groups = parameter_groups(network(), weight_decay=0.1, layer_decay=0.75)
    assert len(groups) == 12  # six layers, matrices and vectors of each
    found = [group["lr_scale"] for group in groups]
    assert found == sorted(found)
    assert found[0] == pytest.approx(0.75**5)


def test_a_backbone_can_be_thawed() -> None:
    model = network()
    for frozen in (True, False):
        parameter_groups(model, weight_decay=0.1, freeze_backbone=frozen)
        assert model.backbone.pos_embed.requires_grad is not frozen


@pytest.mark.parametrize("decay", [0.0, -0.5, 1.1])
def test_other_decays_are_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="layer_decay"):
        scales(network(), decay)
