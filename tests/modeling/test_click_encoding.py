"""Clicks become the recorded disks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_simpleclick.modeling.click_encoding import encode_clicks
from tests import golden


@pytest.mark.parametrize(
    "name", sorted(p.name for p in golden.FIXTURES.glob("forward_[bx]*"))
)
def test_recorded_click_maps(name: str) -> None:
    recorded = golden.load(name)
    shape = tuple(recorded["coord_shape"])
    maps = encode_clicks(torch.from_numpy(recorded["points"]).float(), shape[2:])
    expected = np.unpackbits(recorded["coord_features"], count=np.prod(shape))
    np.testing.assert_array_equal(maps.numpy(), expected.reshape(shape))


def test_disk_by_hand() -> None:
    points = torch.tensor([[[2.0, 2.0, 0.0], [-1.0, -1.0, -1.0]]])
    positive, negative = encode_clicks(points, (5, 5), radius=1)[0]
    cross = [[0] * 5, [0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0], [0] * 5]
    assert positive.tolist() == cross
    assert negative.sum() == 0


def test_no_clicks_give_empty_maps() -> None:
    assert encode_clicks(torch.zeros(2, 0, 3), (4, 6)).shape == (2, 2, 4, 6)


def test_odd_number_of_points_is_refused() -> None:
    with pytest.raises(ValueError, match="expected \\(B, 2n, 3\\)"):
        encode_clicks(torch.zeros(1, 3, 3), (4, 4))


def test_a_click_outside_shows_what_reaches_in_and_padding_nothing() -> None:
    outside, padding = [-1.0, 2.0, 0.0], [-1.0, -1.0, -1.0]
    positive, negative = encode_clicks(torch.tensor([[outside, padding]]), (4, 5), 2)[0]
    assert positive.nonzero().tolist() == [[0, 1], [0, 2], [0, 3], [1, 2]]
    assert negative.sum() == 0
