import numpy as np
import pytest
from skimage import segmentation

from napari_simpleclick.evaluation.metrics import iou
from napari_simpleclick.inference.flooding import doubled, flooded
from napari_simpleclick.types import Click, Prediction, Roi


def disk(shape, centre, radius):
    rows, cols = np.indices(shape)
    return (rows - centre[0]) ** 2 + (cols - centre[1]) ** 2 <= radius**2


def noisy(mask, seed=0):
    noise = np.random.default_rng(seed).normal(0, 8, mask.shape)
    return (np.where(mask, 160, 70) + noise).astype(np.uint8)


def unsure(mask, probability=0.6):
    return Prediction(np.where(mask, probability, 0).astype(np.float32))


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


def test_an_object_that_the_image_cuts_is_found_up_to_its_border():
    left = np.zeros((100, 200), bool)
    left[:, :50] = True
    mask = left.copy()
    mask[:, 45:] = False
    crop = Roi(0, 99, 0, 79)
    mixed = flooded(unsure(mask, 0.9), noisy(left), [Click(50, 25)], crop, 0.49)
    assert iou(mixed.mask(), left) > 0.97


def test_a_whole_image_is_flooded_from_its_frame():
    object_ = disk((80, 80), (40, 40), 18)
    answer, image = unsure(disk((80, 80), (40, 40), 22)), noisy(object_)
    mixed = flooded(answer, image, [Click(40, 40)], Roi(0, 79, 0, 79), 0.49)
    assert iou(mixed.mask(), object_) > 0.95


def test_the_edges_of_a_narrow_box_are_as_steep_along_both_axes():
    """The nearer edges, along rows, are strong; weaker ones would be crossed."""
    bar, mask = (np.zeros((60, 260), bool) for _ in range(2))
    bar[22:38, 30:230] = True
    mask[20:40, 20:240] = True
    mixed = flooded(
        unsure(mask), noisy(bar), [Click(30, 130)], Roi(8, 52, 0, 259), 0.49
    )
    assert iou(mixed.mask(), bar) > 0.9


@pytest.mark.parametrize("times", [1, 8])
def test_large_boxes_cost_no_more_than_small_ones(times, monkeypatch):
    shape, centre, cells = (180 * times, 160 * times), (85 * times, 75 * times), []
    watershed = segmentation.watershed

    def counted(edges, marks):
        cells.append(edges.size)
        return watershed(edges, marks)

    monkeypatch.setattr(segmentation, "watershed", counted)
    object_, mask = (disk(shape, centre, radius * times) for radius in (35, 42))
    crop = Roi(20 * times, 150 * times, 10 * times, 140 * times)
    mixed = flooded(unsure(mask), noisy(object_), [Click(*centre)], crop, 0.49)
    assert iou(mixed.mask(), object_) > 0.95
    assert max(cells) <= 224**2


@pytest.mark.parametrize("radius", [2, 4])
def test_objects_of_a_few_pixels_are_found(radius):
    object_, mask = (disk((30, 30), (14, 15), r) for r in (radius, radius + 2))
    crop = Roi(6, 22, 7, 23)
    mixed = flooded(unsure(mask), noisy(object_), [Click(14, 15)], crop, 0.49)
    assert iou(mixed.mask(), object_) > 0.95


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


def test_a_negative_click_that_is_far_away_opens_no_frame():
    object_, mask = (disk((200, 200), (60, 60), radius) for radius in (16, 20))
    clicks = [Click(60, 60), Click(180, 180, is_positive=False)]
    crop = Roi(32, 88, 32, 88)
    mixed = flooded(unsure(mask), noisy(object_), clicks, crop, 0.49)
    assert iou(mixed.mask(), object_) > 0.95
    assert mixed.probability[~mask].max() < 0.1


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
