"""Strokes are what makes one mask another, and are drawn over any other mask."""

import numpy as np
import pytest

from napari_simpleclick.inference.strokes import Strokes
from napari_simpleclick.types import Prediction, Roi


def masks(seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.random((9, 7)) < share for share in (0.3, 0.5, 0.1)]


@pytest.mark.parametrize("seed", range(5))
def test_drawn_over_the_mask_before_they_make_the_one_after(seed):
    before, after, _ = masks(seed)
    prediction = Prediction(before.astype(np.float32))
    found = Strokes.between(before, after).over(prediction)
    np.testing.assert_array_equal(found.mask(), after)


@pytest.mark.parametrize("seed", range(5))
def test_later_ones_count_where_they_meet(seed):
    first, second, third = masks(seed)
    both = Strokes.between(first, second).then(Strokes.between(second, third))
    found = both.over(Prediction(first.astype(np.float32)))
    np.testing.assert_array_equal(found.mask(), third)


def test_elsewhere_a_prediction_stays_what_it_is():
    before, after = np.zeros((2, 30, 40), bool)
    before[3, 4:7], after[20, 30] = True, True
    roi, box = Roi(0, 29, 0, 29), Roi(10, 19, 5, 24)
    answer = np.full(box.shape, 0.6, np.float32)
    found = Strokes.between(before, after).over(
        Prediction(answer, roi, box=box, shape=(30, 40))
    )
    expected = np.zeros((30, 40), np.float32)
    expected[box.slices] = 0.6
    expected[20, 30] = 1
    np.testing.assert_array_equal(found.probability, expected)
    assert found.roi == roi
    assert (answer == np.float32(0.6)).all()


def test_none_change_nothing():
    same, _, _ = masks(0)
    prediction = Prediction(np.full((9, 7), 0.3, np.float32))
    found = Strokes.between(same, same).over(prediction)
    np.testing.assert_array_equal(found.probability, prediction.probability)
