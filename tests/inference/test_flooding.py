import numpy as np
import pytest

from napari_simpleclick.evaluation.metrics import iou
from napari_simpleclick.inference.flooding import (
    BACKGROUND,
    OBJECT,
    doubled,
    flooded,
    seeds,
)
from napari_simpleclick.types import Click, Prediction, Roi


def disk(shape, centre, radius):
    rows, cols = np.indices(shape)
    return (rows - centre[0]) ** 2 + (cols - centre[1]) ** 2 <= radius**2


def noisy(mask, seed=0):
    noise = np.random.default_rng(seed).normal(0, 8, mask.shape)
    return (np.where(mask, 160, 70) + noise).astype(np.uint8)


def unsure(mask, probability=0.6):
    return Prediction(np.where(mask, probability, 0).astype(np.float32))


def test_seeds_are_disks_on_a_frame_of_background():
    marks = seeds([Click(5, 0)], (11, 12), radius=1)
    rows, cols = np.nonzero(marks == OBJECT)
    assert (set(rows), set(cols), len(rows)) == ({4, 5, 6}, {0, 1}, 6)
    assert (marks == BACKGROUND).sum() == 2 * 12 + 2 * 9 - 3


def test_a_negative_click_takes_the_place_of_the_frame():
    clicks = [Click(5, 5), Click(5, 6, is_positive=False)]
    marks = seeds(clicks, (11, 12), radius=1)
    assert (marks == BACKGROUND).sum() == 9
    assert (marks == OBJECT).sum() == 3


@pytest.mark.parametrize("colour", [False, True])
def test_a_mask_that_is_too_large_gets_the_edge_of_the_image(colour):
    shape, centre = (120, 140), (50, 60)
    object_, mask = disk(shape, centre, 16), disk(shape, centre, 20)
    image = noisy(object_)
    if colour:
        image = np.stack([image] * 3, axis=-1)
    mixed = flooded(unsure(mask), image, [Click(*centre)], Roi(22, 78, 32, 88), 0.49)
    assert iou(mixed.mask(), object_) > 0.95 > 0.7 > iou(mask, object_)
    assert mixed.box == Roi(0, 106, 4, 116)
    assert mixed.roi is None


def test_a_mask_that_is_too_small_grows_to_the_edge():
    shape, centre = (120, 140), (50, 60)
    object_, mask = disk(shape, centre, 20), disk(shape, centre, 17)
    crop = Roi(26, 74, 36, 84)
    mixed = flooded(unsure(mask, 0.95), noisy(object_), [Click(*centre)], crop, 0.49)
    assert iou(mixed.mask(), object_) > 0.93 > iou(mask, object_)


def test_large_boxes_are_flooded_in_fewer_pixels():
    shape, centre = (1500, 1300), (700, 600)
    object_, mask = disk(shape, centre, 300), disk(shape, centre, 340)
    crop = Roi(100, 1250, 50, 1150)
    mixed = flooded(unsure(mask), noisy(object_), [Click(*centre)], crop, 0.49)
    assert iou(mixed.mask(), object_) > 0.97


def test_an_edge_that_nobody_asked_about_changes_nothing():
    """The flooding stays at the click; the mask, right or wrong, is elsewhere."""
    clicked, elsewhere = (disk((90, 90), place, 10) for place in [(25, 25), (60, 60)])
    answer = unsure(elsewhere)
    crop = Roi(5, 80, 5, 80)
    mixed = flooded(answer, noisy(clicked), [Click(25, 25)], crop, 0.49)
    assert iou(mixed.mask(), elsewhere) > 0.99
    empty = unsure(elsewhere, 0.4)
    assert flooded(empty, noisy(clicked), [Click(25, 25)], crop, 0.49) is empty


def test_a_negative_click_is_flooded_from_too():
    bar = np.zeros((100, 100), bool)
    bar[40:60, 20:80] = True
    image, answer, crop = noisy(bar), unsure(bar), Roi(20, 80, 5, 95)
    both = [Click(50, 30), Click(50, 70, is_positive=False)]
    seen = [flooded(answer, image, clicks, crop, 0.49) for clicks in (both[:1], both)]
    assert [answer.mask()[50, 70] for answer in seen] == [True, False]
    assert [answer.mask()[50, 30] for answer in seen] == [True, True]


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (2, 3), (5, 5)])
def test_images_of_hardly_any_pixels(shape):
    answer = unsure(np.ones(shape, bool))
    crop = Roi(0, shape[0] - 1, 0, shape[1] - 1)
    image = np.zeros(shape, np.uint8)
    mixed = flooded(answer, image, [Click(0, 0)], crop, 0.49)
    assert mixed.probability.shape == shape
    assert 0 <= mixed.probability.min() <= mixed.probability.max() <= 1


def test_a_box_is_doubled_around_its_place_and_cut_by_the_image():
    assert doubled(Roi(40, 59, 30, 39), (100, 100)) == Roi(30, 69, 25, 44)
    assert doubled(Roi(0, 9, 95, 99), (100, 100)) == Roi(0, 14, 93, 99)
