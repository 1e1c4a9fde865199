"""build_graph: the network as a graph of OpenVINO's operations, made without torch.

What `SimpleClick.logits_from_maps` says in torch is said here once more. The import of
torch takes seconds, which is most of what a click would wait for at the first
start, and torch's own way out, its tracer, is deprecated.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import openvino
from openvino import opset13 as ops

from napari_simpleclick.modeling.config import (
    GROUP_NORM_EPS,
    IMAGENET_MEAN,
    IMAGENET_STD,
    LAYER_NORM_EPS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from openvino import Node

    from napari_simpleclick.modeling.network_weights import NetworkWeights


def build_graph(weights: NetworkWeights, size: int) -> openvino.Model:
    """Build the graph of a network for one crop of a fixed size.

    Parameters
    ----------
    weights : NetworkWeights
        The network's.
    size : int
        Side of the crop in pixels, a multiple of the patch size.

    Returns
    -------
    openvino.Model
        From image and click maps, (1, 3, size, size) each, to low-resolution logits, as
        for `SimpleClick.logits_from_maps`, all float32.
    """
    shape = [1, 3, size, size]
    image, click_maps = (
        ops.parameter(shape, np.float32, name) for name in ("image", "click_maps")
    )
    tokens = size // weights.config.patch_size
    levels = _pyramid(weights, _backbone(weights, image, click_maps, tokens))
    logits = ops.result(_head(weights, levels))
    return openvino.Model([logits], [image, click_maps], "SimpleClick")


def _backbone(
    weights: NetworkWeights, image: Node, click_maps: Node, side: int
) -> list[Node]:
    """Apply `ViTBackbone` to the normalised image; `side` is in tokens."""
    config = weights.config
    mean, std = (
        _per_channel(np.array(channels, np.float32))
        for channels in (IMAGENET_MEAN, IMAGENET_STD)
    )
    shown = ops.divide(ops.subtract(image, mean), std)
    patch = config.patch_size
    seen = _conv(weights, shown, "backbone.patch_embed.proj", patch)
    clicked = _conv(weights, click_maps, "patch_embed_coords.proj", patch)
    x = _moved(ops.add(seen, clicked), 0, 2, 3, 1)
    x = ops.add(x, _position_embedding(weights, side))
    depths = config.feature_depths
    ends = range(0, config.depth + 1, config.global_block_interval)
    maps = {}
    for first, last in pairwise(sorted({*ends, *depths})):
        is_global = last % config.global_block_interval == 0
        x = _windowed(weights, x, range(first, last - is_global), side)
        if is_global:
            tokens = _block(weights, _shaped(x, 1, side**2, -1), last - 1)
            x = _shaped(tokens, 1, side, side, -1)
        maps[last] = _moved(x, 0, 3, 1, 2)
    return [maps[depth] for depth in depths]


def _position_embedding(weights: NetworkWeights, side: int) -> Node:
    own = weights.config.grid_size
    grid = weights["backbone.pos_embed"][:, 1:].reshape(1, own, own, -1)
    if side == own:
        return _constant(grid)
    plane = _constant(grid.transpose(0, 3, 1, 2))
    return _moved(_resized(plane, side, "cubic"), 0, 2, 3, 1)


def _windowed(
    weights: NetworkWeights, x: Node, blocks: Sequence[int], side: int
) -> Node:
    """Apply blocks to each window of a grid of tokens, (1, side, side, D)."""
    if not blocks:
        return x
    count = weights.config.window_count(side)
    window = ceil(side / count)
    padding, mask = count * window - side, None
    if padding:
        ends = [0, padding, padding, 0]
        x = ops.pad(x, [0, 0, 0, 0], ends, "constant", np.float32(0))
        inside = np.pad(np.ones((side, side), bool), (0, padding))
        split = inside.reshape(count, window, count, window).swapaxes(1, 2)
        mask = split.reshape(count**2, 1, 1, window**2)
    x = _moved(_shaped(x, count, window, count, window, -1), 0, 2, 1, 3, 4)
    x = _shaped(x, count**2, window**2, -1)
    for number in blocks:
        x = _block(weights, x, number, mask)
    x = _moved(_shaped(x, count, count, window, window, -1), 0, 2, 1, 3, 4)
    x = _shaped(x, 1, count * window, count * window, -1)
    return ops.slice(x, [0, 0], [side, side], [1, 1], [1, 2]) if padding else x


def _block(
    weights: NetworkWeights,
    x: Node,
    number: int,
    mask: NDArray[np.bool_] | None = None,
) -> Node:
    """Apply a `TransformerBlock` to tokens (B, N, D)."""
    name = f"backbone.blocks.{number}"
    batch, tokens, dim = x.get_output_shape(0)
    heads = weights.config.num_heads
    normed = _layer_norm(weights, x, f"{name}.norm1")
    qkv = _linear(weights, normed, f"{name}.attn.qkv")
    qkv = _moved(_shaped(qkv, batch, tokens, 3, heads, -1), 2, 0, 3, 1, 4)
    parts = (ops.squeeze(part, [0]) for part in ops.split(qkv, 0, 3).outputs())
    attended = ops.scaled_dot_product_attention(*parts, attention_mask=mask)
    attended = _shaped(_moved(attended, 0, 2, 1, 3), batch, tokens, dim)
    x = ops.add(x, _linear(weights, attended, f"{name}.attn.proj"))
    normed = _layer_norm(weights, x, f"{name}.norm2")
    hidden = ops.gelu(_linear(weights, normed, f"{name}.mlp.fc1"), "erf")
    return ops.add(x, _linear(weights, hidden, f"{name}.mlp.fc2"))


def _pyramid(weights: NetworkWeights, maps: list[Node]) -> list[Node]:
    """Apply `FeaturePyramid`; the numbers are the places in its sequences."""
    if not weights.config.is_multi_scale:
        strides = (4, 8, 16, 32)
        return [
            _projected(weights, x, f"neck.down_{stride}", 0)
            for x, stride in zip(maps, strides, strict=True)
        ]
    fine, middle, same, coarse = maps
    fine = _conv_norm(weights, fine, "neck.down_4", 0, scale=2)
    fine = _conv_norm(weights, ops.gelu(fine, "erf"), "neck.down_4", 3, scale=2)
    middle = _conv_norm(weights, middle, "neck.down_8", 0, scale=2)
    coarse = _conv_norm(weights, _at_least_two(coarse), "neck.down_32", 0, scale=-2)
    return [
        _projected(weights, fine, "neck.down_4", 5),
        _projected(weights, middle, "neck.down_8", 2),
        _projected(weights, same, "neck.down_16", 0),
        _projected(weights, coarse, "neck.down_32", 2),
    ]


def _projected(weights: NetworkWeights, x: Node, name: str, place: int) -> Node:
    return ops.gelu(_conv_norm(weights, x, name, place), "erf")


def _conv_norm(
    weights: NetworkWeights, x: Node, name: str, place: int, *, scale: int = 1
) -> Node:
    """Apply a convolution and the group norm after it; `scale` 2 up, -2 down."""
    up, down = max(scale, 1), max(-scale, 1)
    x = _conv(weights, x, f"{name}.{place}", down, up=up)
    norm = f"{name}.{place + 1}"
    scales, shifts = (_constant(weights[f"{norm}.{n}"]) for n in ("weight", "bias"))
    return ops.group_normalization(x, scales, shifts, 1, GROUP_NORM_EPS)


def _at_least_two(x: Node) -> Node:
    repeats = [2 if side == 1 else 1 for side in x.get_output_shape(0)[2:]]
    return x if repeats == [1, 1] else ops.tile(x, [1, 1, *repeats])


def _head(weights: NetworkWeights, levels: list[Node]) -> Node:
    """Apply `MLPHead`, the cheap order of its operations included."""
    fusion = "head.fusion_conv.conv"
    parts = np.split(weights[f"{fusion}.weight"], len(levels), axis=1)
    side = levels[0].get_output_shape(0)[-1]
    fused = _per_channel(weights[f"{fusion}.bias"])
    for number, (level, part) in enumerate(zip(levels, parts, strict=True)):
        x = ops.relu(_conv(weights, level, f"head.convs.{number}.conv"))
        x = ops.convolution(x, _constant(part), [1, 1], [0, 0], [0, 0], [1, 1])
        if x.get_output_shape(0)[-1] != side:
            x = _resized(x, side, "linear_onnx")
        fused = ops.add(x, fused)
    return _conv(weights, ops.relu(fused), "head.conv_seg")


def _conv(
    weights: NetworkWeights, x: Node, name: str, stride: int = 1, *, up: int = 1
) -> Node:
    """Apply a convolution, or where `up` is not 1 a transposed one."""
    kernel, none, once = _constant(weights[f"{name}.weight"]), [0, 0], [1, 1]
    if up == 1:
        x = ops.convolution(x, kernel, [stride] * 2, none, none, once)
    else:
        x = ops.convolution_backprop_data(
            x, kernel, [up] * 2, pads_begin=none, pads_end=none, dilations=once
        )
    return ops.add(x, _per_channel(weights[f"{name}.bias"]))


def _linear(weights: NetworkWeights, x: Node, name: str) -> Node:
    x = ops.matmul(x, _constant(weights[f"{name}.weight"]), False, True)
    return ops.add(x, _constant(weights[f"{name}.bias"]))


def _layer_norm(weights: NetworkWeights, x: Node, name: str) -> Node:
    x = ops.mvn(x, [-1], True, LAYER_NORM_EPS, "inside_sqrt")
    x = ops.multiply(x, _constant(weights[f"{name}.weight"]))
    return ops.add(x, _constant(weights[f"{name}.bias"]))


def _resized(x: Node, side: int, mode: str) -> Node:
    """Resize (1, C, h, w) to (1, C, side, side) as torch does."""
    return ops.interpolate(
        x,
        [side, side],
        mode,
        "sizes",
        coordinate_transformation_mode="half_pixel",
        cube_coeff=-0.75,
        axes=[2, 3],
    )


def _per_channel(values: NDArray[np.float32]) -> Node:
    return _constant(values.reshape(1, -1, 1, 1))


def _constant(values: NDArray[np.float32]) -> Node:
    # Operations take arrays, too, but make lists of them first: half of all the time.
    return ops.constant(np.ascontiguousarray(values))


def _shaped(x: Node, *shape: int) -> Node:
    return ops.reshape(x, list(shape), special_zero=False)


def _moved(x: Node, *axes: int) -> Node:
    return ops.transpose(x, list(axes))
