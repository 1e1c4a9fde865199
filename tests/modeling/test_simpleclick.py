"""The network reproduces the published one, at every size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_simpleclick.modeling.config import VARIANTS, SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick
from tests import golden

TINY = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)
RECORDINGS = sorted(
    {
        p.name
        for folder in (golden.FIXTURES, golden.BESIDE)
        for p in folder.glob("forward_[bxlh]*.npz")
    }
)


def published(variant: str) -> SimpleClick:
    model = SimpleClick(VARIANTS[variant])
    model.load_state_dict(golden.parameters(variant))
    return model.eval()


@pytest.mark.parametrize("name", RECORDINGS)
def test_recorded_forward_pass(name: str) -> None:
    recorded = golden.load(name)
    batch, _, height, width = recorded["coord_shape"]
    model = published(name.split("_")[1])
    image, prev_mask = golden.inputs(int(recorded["seed"]), (batch, height, width))
    points = torch.from_numpy(recorded["points"]).float()
    with torch.inference_mode():
        low = model.low_res_logits(image, prev_mask, points).numpy()
        full = model(image, prev_mask, points).numpy()
    np.testing.assert_allclose(low, recorded["low_res_logits"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(
        full[:, :, ::8, ::8], recorded["logits_stride8"], rtol=0, atol=1e-3
    )


@pytest.mark.parametrize(
    ("variant", "millions", "exact"),
    [
        ("xtiny", 3.72, 3_719_841),
        ("base", 96.46, 96_465_857),
        ("large", 322.18, 322_188_993),
        ("huge", 659.39, 659_402_481),
    ],
)
def test_parameter_counts_are_the_papers(
    variant: str, millions: float, exact: int
) -> None:
    """The paper does not count the position embedding, and its tool rounds."""
    with torch.device("meta"):
        model = SimpleClick(VARIANTS[variant])
    count = sum(p.numel() for n, p in model.named_parameters() if "pos_embed" not in n)
    assert count == exact
    assert count / 1e6 == pytest.approx(millions, abs=0.015)


@pytest.mark.parametrize(
    "size",
    [(16, 16), (16, 48), (64, 64), (240, 16), (224, 464), (320, 336), (464, 464)],
)
def test_every_multiple_of_the_patch_works(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    model = SimpleClick(TINY).eval()
    image, prev_mask = torch.rand(2, 3, *size), torch.rand(2, 1, *size)
    points = torch.tensor([[[3.0, 4.0, 0], [-1, -1, -1]]] * 2)
    with torch.inference_mode():
        logits = model(image, prev_mask, points)
    assert logits.shape == (2, 1, *size)
    assert torch.isfinite(logits).all()


def test_padding_of_windows_cannot_be_seen() -> None:
    """A window that is padded answers like the same tokens without padding."""
    torch.manual_seed(0)
    backbone = SimpleClick(TINY).eval().backbone
    x = torch.randn(1, 29, 14, 16)  # two windows of 15 rows, the second has 14
    blocks = list(backbone.blocks[:2])
    with torch.inference_mode():
        padded = backbone._windowed(blocks, x)
        for part in (slice(0, 15), slice(15, 29)):
            tokens = x[:, part].reshape(1, -1, 16)
            for block in blocks:
                tokens = block(tokens)
            torch.testing.assert_close(padded[:, part].reshape(1, -1, 16), tokens)


def test_batch_members_do_not_mix() -> None:
    torch.manual_seed(0)
    model = SimpleClick(TINY).eval()
    image, prev_mask = torch.rand(3, 3, 240, 96), torch.rand(3, 1, 240, 96)
    points = torch.rand(3, 4, 3) * 90
    with torch.inference_mode():
        together = model(image, prev_mask, points)
        alone = model(image[1:2], prev_mask[1:2], points[1:2])
    torch.testing.assert_close(together[1:2], alone)


def test_wrong_shapes_are_named() -> None:
    model = SimpleClick(TINY)
    image, mask, points = (
        torch.rand(1, 3, 64, 64),
        torch.rand(1, 1, 64, 64),
        torch.zeros(1, 2, 3),
    )
    with pytest.raises(ValueError, match="image: shape"):
        model(torch.rand(1, 3, 64, 60), mask, points)
    with pytest.raises(ValueError, match="prev_mask: shape"):
        model(image, torch.rand(1, 1, 32, 64), points)
    with pytest.raises(ValueError, match="points: batch"):
        model(image, mask, points.repeat(2, 1, 1))


@pytest.mark.parametrize("size", [-16, 30])
def test_a_glance_is_a_whole_number_of_patches(size: int) -> None:
    with pytest.raises(ValueError, match=f"glance_size: {size}, expected 0 or a"):
        replace(TINY, glance_size=size)
