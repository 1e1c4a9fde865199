"""Every published parameter is honoured, or refused in words."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.config import VARIANTS, SimpleClickConfig
from napari_simpleclick.modeling.inferred_config import config_from_tensors
from napari_simpleclick.modeling.published_format import (
    config_from_published,
    published_config,
    unused_parameters,
)
from napari_simpleclick.modeling.simpleclick import UNUSED_PREFIXES
from napari_simpleclick.modeling.torch_file import read_torch_file
from tests import golden

SHAPES = golden.FIXTURES / "state_dict_shapes.json"
SMALL = SimpleClickConfig(
    embed_dim=32, num_heads=2, neck_dims=(16, 32, 48, 64), head_dim=16
)


def shapes(variant: str = "xtiny") -> dict[str, torch.Tensor]:
    return {
        name: torch.empty(shape, device="meta")
        for name, shape in json.loads(SHAPES.read_text())[variant].items()
    }


def official() -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    content = read_torch_file(golden.FIXTURES / "official_format_small.pth")
    assert isinstance(content.config, dict)
    return content.config, content.tensors


def changed(name: str, value: object) -> dict[str, Any]:
    """The published configuration with one value changed: "section.parameter"."""
    config = copy.deepcopy(official()[0])
    section, _, parameter = name.rpartition(".")
    entry = {"type": "builtin", "value": value, "specified": True}
    if section:
        config["params"][section]["value"][parameter] = value
    else:
        config["params"][parameter] = entry
    return config


def test_published_configuration() -> None:
    assert config_from_published(*official()) == SMALL


@pytest.mark.parametrize("variant", VARIANTS)
def test_own_form_is_read_back_and_shapes_agree(variant: str) -> None:
    config = VARIANTS[variant]
    tensors = shapes(variant)
    assert config_from_published(published_config(config), tensors) == config
    assert config_from_tensors(tensors) == config
    unused = {k: t.shape for k, t in tensors.items() if k.startswith(UNUSED_PREFIXES)}
    assert {k: t.shape for k, t in unused_parameters(config).items()} == unused


def test_own_form_is_the_published_one() -> None:
    """Same names, types and values, but for the loss and what the file left default."""
    published = official()[0]["params"]
    own = published_config(SMALL)
    assert own["class"] == official()[0]["class"]
    for name, entry in own["params"].items():
        values = copy.deepcopy(published[name]["value"])
        if name == "head_params":
            values["loss_decode"] = None
        assert entry["value"] == values
        assert type(entry["value"]) is type(values)
    assert published.keys() - own["params"].keys() == {
        "cpu_dist_maps",
        "use_leaky_relu",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("use_disks", False),
        ("with_prev_mask", False),
        ("random_split", True),
        ("with_aux_output", True),
        ("use_rgb_conv", True),
        ("norm_mean_std", ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])),
        ("norm_mean_std", None),
        ("head_params.upsample", "x2"),
        ("head_params.num_classes", 2),
        ("head_params.align_corners", True),
        ("head_params.in_index", [3, 2, 1, 0]),
        ("head_params.interpolate_mode", "nearest"),
        ("head_params.channels", 256),
        ("neck_params.out_dims", [16, 32, 48]),
        ("neck_params.in_dim", 768),
        ("backbone_params.in_chans", 1),
        ("backbone_params.qkv_bias", False),
        ("backbone_params.depth", 10**9),
        ("backbone_params.embed_dim", 10**9),
        ("backbone_params.img_size", (224, 448)),
        ("backbone_params.mlp_ratio", 2),
        ("backbone_params.pos_drop_rate", 0.1),
    ],
)
def test_other_values_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(CheckpointError, match=rf"asks for {name} = .*, but this"):
        config_from_published(changed(name, value), official()[1])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("with_text_prompt", True, "parameter that is not known: with_text_prompt"),
        ("backbone_params.dilation", 2, "not known: backbone_params.dilation"),
        ("backbone_params.num_heads", 3, "num_heads: 3 does not divide"),
        ("backbone_params.num_heads", 0, "no usable number for num_heads"),
        ("backbone_params.num_heads", "2", "no usable number for num_heads"),
        ("norm_radius", 2.5, "no usable number for click_radius"),
    ],
)
def test_unusable_entries(name: str, value: object, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        config_from_published(changed(name, value), official()[1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cpu_dist_maps", True),
        ("backbone_params.num_classes", 10),
        ("backbone_params.attn_drop_rate", 0.0),
        ("head_params.interpolate_mode", "bilinear"),
        ("head_params.in_channels", (16, 32, 48, 64)),
    ],
)
def test_values_without_effect_are_accepted(name: str, value: object) -> None:
    assert config_from_published(changed(name, value), official()[1]) == SMALL


def test_radius_of_the_disks_is_honoured() -> None:
    config = config_from_published(changed("norm_radius", 3), official()[1])
    assert config == replace(SMALL, click_radius=3)


@pytest.mark.parametrize("name", ["use_disks", "with_prev_mask"])
def test_parameter_with_another_default_must_be_there(name: str) -> None:
    config, tensors = official()
    del config["params"][name]
    with pytest.raises(CheckpointError, match=f"does not say what {name} is"):
        config_from_published(config, tensors)


def test_other_classes_are_refused_by_name() -> None:
    config, tensors = official()
    config["class"] = "isegm.model.is_hrnet_model.HRNetModel"
    with pytest.raises(CheckpointError, match="HRNetModel"):
        config_from_published(config, tensors)


@pytest.mark.parametrize("config", [None, [], {}, {"class": 1, "params": {}}, "x"])
def test_configurations_of_unknown_form(config: object) -> None:
    with pytest.raises(CheckpointError, match="unknown form"):
        config_from_published(config, official()[1])
