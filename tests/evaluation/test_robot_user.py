import numpy as np
import pytest

from napari_simpleclick.evaluation.robot_user import next_click
from napari_simpleclick.types import Click
from tests import golden

EMPTY = np.zeros((9, 12), dtype=bool)


def box(rows: slice, cols: slice) -> np.ndarray:
    mask = EMPTY.copy()
    mask[rows, cols] = True
    return mask


def test_clicks_agree_with_the_recorded_ones():
    recorded = golden.load("next_click.npz")
    cases = zip(
        *(recorded[key] for key in ("gt", "pred", "size", "clicks")), strict=True
    )
    for gt, pred, (height, width), expected in cases:
        true, predicted = (a[:height, :width].astype(bool) for a in (gt, pred))
        clicks = []
        for _ in expected:
            clicks.append(next_click(true, predicted, clicks))
        found = [(c.row, c.col, c.is_positive) for c in clicks]
        np.testing.assert_array_equal(found, expected)


def test_centre_of_a_missing_and_of_a_surplus_box():
    area = box(slice(2, 7), slice(3, 8))
    assert next_click(area, EMPTY) == Click(4, 5, is_positive=True)
    assert next_click(EMPTY, area) == Click(4, 5, is_positive=False)


def test_edge_of_the_image_bounds_an_area():
    assert next_click(box(slice(0, 3), slice(0, 3)), EMPTY) == Click(1, 1)


def test_surplus_wins_at_equal_depth():
    gt, pred = box(slice(0, 3), slice(0, 3)), box(slice(5, 8), slice(5, 8))
    assert next_click(gt, pred) == Click(6, 6, is_positive=False)


def test_first_pixel_wins_at_equal_depth_and_no_pixel_twice():
    area = box(slice(4, 5), slice(2, 5))
    clicks = []
    for col in (2, 3, 4):
        clicks.append(next_click(area, EMPTY, clicks))
        assert clicks[-1] == Click(4, col)
    assert next_click(area, EMPTY, clicks) == Click(0, 0, is_positive=False)


def test_a_click_beside_the_centre_counts_for_its_pixel():
    area = box(slice(4, 5), slice(2, 5))
    assert next_click(area, EMPTY, [Click(4.4, 1.6)]) == Click(4, 3)


@pytest.mark.parametrize("mask", [EMPTY, ~EMPTY])
def test_nothing_to_mend_is_a_negative_click_on_the_first_pixel(mask):
    assert next_click(mask, mask) == Click(0, 0, is_positive=False)


def test_other_arrays_are_refused():
    with pytest.raises(TypeError, match="uint8"):
        next_click(EMPTY.astype(np.uint8), EMPTY)
    with pytest.raises(ValueError, match=r"\(9, 12\), \(12, 9\)"):
        next_click(EMPTY, EMPTY.T)
