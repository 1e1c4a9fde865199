"""parameter_groups: which parameters learn, how fast, and with which weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from napari_simpleclick.modeling.simpleclick import SimpleClick

_BLOCKS = "backbone.blocks."
_EMBEDDINGS = ("backbone.patch_embed.", "backbone.pos_embed")


def parameter_groups(
    model: SimpleClick,
    *,
    weight_decay: float,
    layer_decay: float | None = None,
    freeze_backbone: bool = False,
) -> list[dict[str, Any]]:
    """Sort the parameters of a network into the groups of an optimizer.

    With `layer_decay` the pre-trained layers learn more slowly the nearer they are to
    the image: pyramid and head, and the embedding of the clicks, which no pre-training
    knows, learn at the full rate; the last block at `layer_decay` times that, the one
    before at its square, and so on down to the patch embedding.

    Parameters
    ----------
    model : SimpleClick
        The network. Its backbone is frozen or, if `freeze_backbone` is False, thawed.
    weight_decay : float
        Of matrices and kernels; vectors (biases, normalisations) have none.
    layer_decay : float or None
        Factor on the rate from one layer to the one before it, in (0, 1]; None for one
        rate.
    freeze_backbone : bool
        Leave the backbone as it is: its parameters need no gradient and are in no
        group.

    Returns
    -------
    list of dict
        Each with "params", "weight_decay", and "lr_scale": the part of the full rate
        that the group learns at, by which a schedule multiplies. Slowest layer first,
        matrices before vectors.

    Raises
    ------
    ValueError
        If `layer_decay` is out of its range.

    References
    ----------
    Layer-wise decay: Bao, Dong, Wei, BEiT, ICLR 2022. SimpleClick trains with 0.75
    where it does at all (isegm/engine/optimizer.py of uncbiag/SimpleClick); ViTDet with
    0.7 (B), 0.8 (L) and 0.9 (H).
    """
    if layer_decay is not None and not 0 < layer_decay <= 1:
        raise ValueError(f"layer_decay: {layer_decay}, expected a number in (0, 1]")
    model.backbone.requires_grad_(not freeze_backbone)
    decay = 1.0 if layer_decay is None else layer_decay
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            scale = decay ** _layers_above(name, model.config.depth)
            groups.setdefault((scale, parameter.ndim <= 1), []).append(parameter)
    return [
        {
            "params": groups[scale, is_vector],
            "weight_decay": 0.0 if is_vector else weight_decay,
            "lr_scale": scale,
        }
        for scale, is_vector in sorted(groups)
    ]


def _layers_above(name: str, depth: int) -> int:
    """Count the layers from a parameter's own to the pyramid; 0 for what is new."""
    if name.startswith(_BLOCKS):
        return depth - int(name.removeprefix(_BLOCKS).partition(".")[0])
    return depth + 1 if name.startswith(_EMBEDDINGS) else 0
