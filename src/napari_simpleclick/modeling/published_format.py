"""The form of the published files: their "config" entry and their unused parameters.

The authors' `serialize` decorator writes the class of the model and, for each of its
parameters, the type, the value and whether it was given (isegm/utils/serialization.py
of https://github.com/uncbiag/SimpleClick).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.config import IMAGENET_MEAN, IMAGENET_STD
from napari_simpleclick.modeling.inferred_config import config_from_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from napari_simpleclick.modeling.config import SimpleClickConfig

_CLASS = "isegm.model.is_plainvit_model.PlainVitModel"
_SECTIONS = ("backbone_params", "neck_params", "head_params")
_WITHOUT_EFFECT = frozenset(
    {
        "cpu_dist_maps",  # where the disks are drawn
        "use_leaky_relu",  # a part of use_rgb_conv
        "backbone_params.num_classes",  # of a classifier that is never run
        "backbone_params.global_pool",
        "head_params.loss_decode",  # kept by the head, never called
    }
)
_REQUIRED = ("use_disks", "with_prev_mask", "backbone_params.num_heads")
"""Parameters whose published default is another than SimpleClick's value."""

_OPTIONAL = MappingProxyType(
    {
        "backbone_params.pos_drop_rate": 0,
        "backbone_params.attn_drop_rate": 0,
        "backbone_params.proj_drop_rate": 0,
        "backbone_params.norm_layer": None,
        "backbone_params.act_layer": None,
        "backbone_params.cls_feature_dim": None,
        "head_params.interpolate_mode": "bilinear",
    }
)
"""Parameters that the published files leave out, with the value that they stand for."""


def published_config(config: SimpleClickConfig) -> dict[str, Any]:
    """Write a configuration as the authors' code reads it.

    `loss_decode` is None: their head takes the argument and only keeps it, so that no
    object of theirs has to be pickled.

    Parameters
    ----------
    config : SimpleClickConfig
        The architecture.

    Returns
    -------
    dict
        The "config" entry: plain containers, numbers and strings.

    Raises
    ------
    ValueError
        If the pyramid has another design than "simple", the only one published.
    """
    if config.pyramid != "simple":
        raise ValueError(
            f"config: the pyramid {config.pyramid!r} has no published form, expected "
            "'simple'"
        )
    params: dict[str, Any] = {section: {} for section in _SECTIONS}
    for name, value in _parameters(config).items():
        section, _, parameter = name.rpartition(".")
        (params[section] if section else params)[parameter] = value
    params["head_params"]["loss_decode"] = None
    return {
        "class": _CLASS,
        "params": {
            name: {"type": "builtin", "value": value, "specified": True}
            for name, value in params.items()
        },
    }


def config_from_published(
    published: object, tensors: Mapping[str, Tensor]
) -> SimpleClickConfig:
    """Turn a published "config" entry into a configuration.

    Parameters
    ----------
    published : object
        What the file holds under "config".
    tensors : mapping
        The state dict beside it.

    Returns
    -------
    SimpleClickConfig
        The architecture, the same for the entry and for the tensors.

    Raises
    ------
    CheckpointError
        If a parameter is unknown, does not fit the tensors, or asks for something that
        this network does not do.
    """
    match published:
        case {"class": str(name), "params": dict(params)}:
            pass
        case _:
            raise CheckpointError('has a "config" entry of unknown form')
    if name != _CLASS:
        raise CheckpointError(f"holds a model of class {_short(name)}, not {_CLASS}")
    given = _flatten(params)
    config = config_from_tensors(
        tensors,
        num_heads=given.get("backbone_params.num_heads", 1),
        click_radius=given.get("norm_radius", 5),
    )
    _check(given, _parameters(config) | _OPTIONAL)
    return config


def unused_parameters(config: SimpleClickConfig) -> dict[str, Tensor]:
    """Make the parameters that the authors' modules hold and never use.

    Parameters
    ----------
    config : SimpleClickConfig
        The architecture.

    Returns
    -------
    dict
        Ones for the weights of normalisations, zeros for the rest; float32.
    """
    dim, wide = config.embed_dim, config.head_dim
    tensors = {
        "backbone.cls_token": torch.zeros(1, 1, dim),
        "backbone.fc_norm.weight": torch.ones(dim),
        "backbone.fc_norm.bias": torch.zeros(dim),
        "backbone.head.weight": torch.zeros(1000, dim),
        "backbone.head.bias": torch.zeros(1000),
    }
    for name, inner, outer in (
        ("head.up_conv1", wide, wide // 2),
        ("head.up_conv2", wide // 2, wide // 4),
    ):
        tensors |= {
            f"{name}.0.weight": torch.zeros(inner, outer, 2, 2),
            f"{name}.0.bias": torch.zeros(outer),
            f"{name}.1.weight": torch.ones(outer),
            f"{name}.1.bias": torch.zeros(outer),
            f"{name}.2.weight": torch.zeros(outer, outer, 1, 1),
            f"{name}.2.bias": torch.zeros(outer),
            f"{name}.3.weight": torch.ones(outer),
            f"{name}.3.bias": torch.zeros(outer),
        }
    return tensors


def _parameters(config: SimpleClickConfig) -> dict[str, Any]:
    """Every published parameter that has an effect, flat, with SimpleClick's value."""
    return {
        "use_disks": True,
        "with_prev_mask": True,
        "random_split": False,
        "with_aux_output": False,
        "use_rgb_conv": False,
        "norm_radius": config.click_radius,
        "norm_mean_std": (list(IMAGENET_MEAN), list(IMAGENET_STD)),
        "head_params.upsample": "x1",
        "head_params.num_classes": 1,
        "head_params.align_corners": False,
        "head_params.dropout_ratio": 0.1,
        "head_params.in_index": [0, 1, 2, 3],
        "head_params.in_channels": list(config.neck_dims),
        "head_params.channels": config.head_dim,
        "neck_params.in_dim": config.embed_dim,
        "neck_params.out_dims": list(config.neck_dims),
        "backbone_params.img_size": (config.image_size, config.image_size),
        "backbone_params.patch_size": (config.patch_size, config.patch_size),
        "backbone_params.in_chans": 3,
        "backbone_params.embed_dim": config.embed_dim,
        "backbone_params.depth": config.depth,
        "backbone_params.num_heads": config.num_heads,
        "backbone_params.mlp_ratio": config.mlp_ratio,
        "backbone_params.qkv_bias": True,
    }


def _flatten(params: Mapping[object, object]) -> dict[str, Any]:
    """Name every given value: "use_disks", "head_params.upsample" ..."""
    flat: dict[str, Any] = {}
    for name, entry in params.items():
        value = entry.get("value") if isinstance(entry, dict) else entry
        if name in _SECTIONS and isinstance(value, dict):
            flat |= {f"{name}.{key}": item for key, item in value.items()}
        else:
            flat[str(name)] = value
    return flat


def _check(given: Mapping[str, object], expected: Mapping[str, object]) -> None:
    for name in _REQUIRED:
        if name not in given:
            raise CheckpointError(f"does not say what {name} is")
    for name in given:
        if name not in expected and name not in _WITHOUT_EFFECT:
            raise CheckpointError(f"has a parameter that is not known: {name[:60]}")
    for name, value in expected.items():
        if not _same(given.get(name, value), value):
            raise CheckpointError(
                f"asks for {name} = {_short(given[name])}, but this network with the "
                f"tensors in the file has {_short(value)}"
            )


def _same(value: object, expected: object) -> bool:
    """Compare; lists and tuples count as equal, nested as deep as `expected` is."""
    if not isinstance(expected, list | tuple):
        return bool(value == expected)
    return (
        isinstance(value, list | tuple)
        and len(value) == len(expected)
        and all(map(_same, value, expected))
    )


def _short(value: object) -> str:
    """Describe a value from a file in a few characters, however large it is."""
    if isinstance(value, list | tuple) and len(value) <= 4:
        return f"[{', '.join(_short_scalar(item) for item in value)}]"
    return _short_scalar(value)


def _short_scalar(value: object) -> str:
    if isinstance(value, str | int | float | None):
        return repr(value)[:60]
    return f"a {type(value).__name__}"
