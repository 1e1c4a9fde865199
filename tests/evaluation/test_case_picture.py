"""What a picture shows: the right clicks, the right slice, on the right place."""

import numpy as np
import pytest
from skimage.io import imread

from napari_simpleclick.evaluation.case_picture import (
    View,
    draw_view,
    surroundings,
    view_after,
)
from napari_simpleclick.evaluation.run import evaluate_sample
from napari_simpleclick.types import Click, Roi, Sample
from tests.evaluation.test_study import Disks
from tests.evaluation.test_volume_run import Bright, ball, iou, sample


def counted():
    told = []
    return told, told.append


def test_surroundings_hold_mask_and_clicks_with_a_margin():
    mask = np.zeros((400, 400), dtype=bool)
    mask[100:201, 150:171] = True
    assert surroundings(mask, []) == Roi(74, 225, 84, 235)
    assert surroundings(mask, [Click(100, 250)]).col_max >= 250


def test_surroundings_stay_within_the_image():
    mask = np.zeros((20, 90), dtype=bool)
    mask[0, 0] = True
    assert surroundings(mask, []) == Roi(0, 19, 0, 32)


def test_an_image_is_seen_after_the_clicks_of_its_evaluation():
    mask = np.zeros((30, 40), dtype=bool)
    mask[5:15, 5:25] = True
    flat = Sample("i/1", np.full(mask.shape, 50, np.uint8), mask)
    told, tell = counted()
    view = view_after(Disks(4), flat, 3, tell)
    result = evaluate_sample(Disks(4), flat, 3)
    assert told == [1, 2, 3]
    assert view.clicks == result.clicks
    np.testing.assert_array_equal(view.truth, mask)
    assert iou(view.mask, mask) == pytest.approx(result.ious[-1])
    assert view.index is None


class Dim(Bright):
    """Sees nothing of the slices from 11 on."""

    def predict(self, image, clicks, previous=None):
        seen = image if image.max() < 250 else np.zeros_like(image)
        return super().predict(seen, clicks, previous)


def test_of_a_volume_the_worst_clicked_slice_is_seen():
    thing = sample(slices=(6, 10, 14), size=(3.0, 2.0, 1.0))
    thing.image[14][ball()[14]] = 255
    told, tell = counted()
    view = view_after(Dim(), thing, 3, tell)
    assert told == [1, 2, 3]
    assert view.index == 14
    assert [click.index for click in view.clicks] == [14]
    np.testing.assert_array_equal(view.truth, ball()[14])
    assert not view.mask.any()
    assert view.dice == 0
    assert view.pixel_size == (2, 1)


def test_where_no_clicked_slice_is_wrong_the_object_is_largest_there():
    view = view_after(Bright(), sample(slices=(4, 10, 16)), 3, lambda clicks: None)
    assert view.index == 10
    assert view.dice == 1
    np.testing.assert_array_equal(view.mask, ball()[10])


def test_the_annotation_is_left_and_the_clicks_are_right(tmp_path):
    truth, mask = np.zeros((2, 64, 64), dtype=bool)
    truth[20:40, 20:30], mask[20:40, 34:44] = True, True
    image = np.zeros((64, 64), np.uint8)
    clicks = (Click(30, 25), Click(30, 39, is_positive=False))
    view = View(image, truth, mask, clicks, (1.0, 1.0))
    draw_view(view, tmp_path / "case.png")
    picture = imread(tmp_path / "case.png").astype(int)
    half = picture.shape[1] // 2
    left, right = picture[:, : half - 3], picture[:, half + 3 :]
    assert left.shape == right.shape

    def columns(panel, *channels):
        """Where the first channel shines and the second does not."""
        shines = (panel[..., channels[0]] > 150) & (panel[..., channels[1]] < 110)
        found = np.nonzero(shines)[1]
        return (found.min() / left.shape[1], found.max() / left.shape[1])

    outline = columns(left, 0, 2)
    assert outline == pytest.approx((20 / 64, 30 / 64), abs=0.05)
    green = columns(right, 1, 0)
    assert green == pytest.approx((25.5 / 64, 25.5 / 64), abs=0.05)
    assert np.count_nonzero((left[..., 1] > 150) & (left[..., 0] < 110)) == 0
