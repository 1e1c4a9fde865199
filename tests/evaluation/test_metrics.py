import numpy as np
import pytest

from napari_simpleclick.evaluation.metrics import (
    dice_of_iou,
    iou,
    miou_at_k,
    number_of_clicks,
    number_of_failures,
)

IOUS = [
    [0.5, 0.8, 0.9],  # reaches 0.9 with the last click
    [0.9, 0.7, 0.7],  # reaches it at once, then loses it
    [0.1, 0.3, 0.5],  # never
]


def test_iou():
    a = np.array([[True, True, False, False]])
    b = np.array([[False, True, True, False]])
    assert iou(a, b) == pytest.approx(1 / 3)
    assert iou(a, a) == 1
    assert iou(a, ~a) == 0


def test_iou_of_two_empty_masks_is_one():
    empty = np.zeros((3, 4), dtype=bool)
    assert iou(empty, empty) == 1
    assert iou(empty, ~empty) == 0


def test_iou_refuses_other_masks():
    mask = np.zeros((3, 4), dtype=bool)
    with pytest.raises(TypeError, match="uint8"):
        iou(mask.astype(np.uint8), mask)
    with pytest.raises(ValueError, match=r"\(3, 4\), \(4, 3\)"):
        iou(mask, mask.T)


def test_miou_at_k():
    np.testing.assert_allclose(miou_at_k(IOUS), [0.5, 0.6, 0.7])


def test_number_of_clicks():
    assert number_of_clicks(IOUS, 0.9, 3).tolist() == [3, 1, 3]
    assert number_of_clicks(IOUS, 0.9, 20).tolist() == [3, 1, 20]
    assert number_of_clicks(IOUS, 0.9, 2).tolist() == [2, 1, 2]
    assert number_of_clicks(IOUS, 0.3, 3).tolist() == [1, 1, 2]


def test_reaching_with_the_last_click_is_no_failure():
    assert number_of_failures(IOUS, 0.9, 3) == 1
    assert number_of_failures(IOUS, 0.9, 2) == 2
    assert number_of_failures(IOUS, 0.5, 3) == 0


def test_equality_is_enough_in_the_precision_of_the_table():
    ious = np.array([[0.9]], dtype=np.float32)
    assert number_of_clicks(ious, 0.9).tolist() == [1]
    assert number_of_failures(ious, 0.9) == 0


@pytest.mark.parametrize("ious", [[0.5, 0.6], np.zeros((0, 3))])
def test_other_tables_are_refused(ious):
    for metric in (miou_at_k, lambda i: number_of_clicks(i, 0.9)):
        with pytest.raises(ValueError, match="ious: shape"):
            metric(ious)


@pytest.mark.parametrize("percent", [80, 85, 90, 95])
def test_the_dice_that_is_asked_for_is_reached(percent):
    shared, of_both = percent, 100
    ious = np.array([[shared / (2 * of_both - shared)]], np.float32)
    assert number_of_failures(dice_of_iou(ious), percent / 100, 1) == 0
