from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_simpleclick.training import annotators
from napari_simpleclick.training.annotators import part_of, redrawn

Mask = NDArray[np.bool_]
Change = Callable[[np.random.Generator, Mask], Mask]


def disk(radius: float, side: int = 60) -> Mask:
    rows, cols = np.mgrid[:side, :side] - side // 2
    return np.asarray(np.hypot(rows, cols) < radius)


def test_a_part_is_one_piece_of_the_object() -> None:
    whole = disk(20)
    shares = []
    for seed in range(20):
        part = part_of(np.random.default_rng(seed), whole)
        assert not (part & ~whole).any()
        assert ndimage.label(part)[1] == 1
        shares.append(part.sum() / whole.sum())
    assert 0.1 < np.median(shares) < 0.8
    assert np.ptp(shares) > 0.2


def test_a_redrawn_edge_lies_about_where_it_was() -> None:
    whole = disk(20)
    ious, grown, shrunk = [], 0, 0
    for seed in range(20):
        mask = redrawn(np.random.default_rng(seed), whole)
        assert ndimage.label(mask)[1] == 1
        ious.append((mask & whole).sum() / (mask | whole).sum())
        grown += bool((mask & ~whole).any())
        shrunk += bool((whole & ~mask).any())
    assert min(ious) > 0.3
    assert 0.6 < np.median(ious) < 0.99
    assert min(grown, shrunk) > 5


@pytest.mark.parametrize("change", [part_of, redrawn])
def test_large_full_and_single_pixel_objects(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    assert change(rng, np.ones((9, 12), bool)).any()
    dot = disk(1)
    assert dot.sum() == 1
    assert change(rng, dot).any()
    monkeypatch.setattr(annotators, "LARGEST_SIDE", 30)
    np.testing.assert_array_equal(change(rng, disk(20)), disk(20))


@pytest.mark.parametrize("change", [part_of, redrawn])
def test_same_seed_same_mask(change: Change) -> None:
    first, again = (change(np.random.default_rng(4), disk(18)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
