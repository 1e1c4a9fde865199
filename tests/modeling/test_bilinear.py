"""A plane at another size: as torch's interpolation makes it, and any part of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from napari_simpleclick.modeling.bilinear import stretched
from napari_simpleclick.types import Roi


@pytest.mark.parametrize(
    "shape", [(112, 112), (448, 448), (700, 33), (5, 9), (1, 300), (1, 1)]
)
@pytest.mark.parametrize("sides", [(112, 112), (64, 20), (1, 3)])
def test_it_is_torch_s_interpolation(
    shape: tuple[int, int], sides: tuple[int, int]
) -> None:
    plane = np.random.default_rng(0).normal(size=sides).astype(np.float32)
    tensor = torch.from_numpy(plane)[None, None]
    expected = interpolate(tensor, shape, mode="bilinear", align_corners=True)[0, 0]
    found = stretched(plane, shape)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_a_part_is_that_part_of_the_whole() -> None:
    plane = np.random.default_rng(1).random((33, 40), dtype=np.float32)
    whole = stretched(plane, (200, 90))
    for part in (Roi(0, 199, 0, 89), Roi(70, 150, 3, 3), Roi(199, 199, 80, 89)):
        found = stretched(plane, (200, 90), part)
        np.testing.assert_array_equal(found, whole[part.slices])
