"""Between slices by shape, beyond them by the model."""

import numpy as np

from napari_simpleclick.inference.propagation import (
    fill_between,
    interpolate,
    propagate,
)
from napari_simpleclick.types import Prediction


def disk(radius, row=20, col=20, shape=(40, 40)):
    rows, cols = np.indices(shape)
    return np.hypot(rows - row, cols - col) <= radius


def radii(masks):
    return np.sqrt(np.count_nonzero(masks, axis=(1, 2)) / np.pi)


def test_between_two_disks_the_radius_goes_evenly():
    between = interpolate(disk(4), disk(12), 3)
    np.testing.assert_allclose(radii(between), [6, 8, 10], atol=0.6)


def test_an_object_moves_and_ends_half_way_to_a_slice_without_it():
    moved = interpolate(disk(8, col=16), disk(8, col=22), 1)[0]
    assert np.nonzero(moved)[1].mean() == 19
    cone = radii(interpolate(disk(9), disk(0) & False, 5))
    assert (np.diff(cone) <= 0).all()
    assert cone[0] > 6
    assert cone[2:].tolist() == [0, 0, 0]
    back = interpolate(disk(0) & False, disk(9), 5)
    np.testing.assert_allclose(radii(back)[::-1], cone)
    assert not interpolate(disk(0) & False, disk(0) & False, 2).any()


def test_slices_are_kept_and_only_gaps_are_filled():
    masks = {2: disk(5), 6: disk(9), 7: disk(3)}
    volume = fill_between(masks, (10, 40, 40))
    for index, mask in masks.items():
        np.testing.assert_array_equal(volume[index], mask)
    assert [bool(part.any()) for part in volume] == [False] * 2 + [True] * 6 + [
        False
    ] * 2


class Bright:
    """Answers with the bright pixels near what it is given."""

    threshold = 0.5

    def __init__(self):
        self.clicks = []

    def predict(self, image, clicks, previous=None):
        (click,) = clicks
        self.clicks.append(click)
        assert previous.probability[int(click.row), int(click.col)] > 0.5
        return Prediction((image > 100).astype(np.float32))


def images(*columns):
    return [(200 * disk(8, col=col)).astype(np.uint8) for col in columns]


def test_an_object_is_followed():
    model, ahead = Bright(), images(21, 23, 25)
    found = list(propagate(model, ahead, disk(8, col=20), 5))
    assert len(found) == 3
    for mask, image in zip(found, ahead, strict=True):
        np.testing.assert_array_equal(mask, image > 100)
    assert [(click.row, click.col) for click in model.clicks] == [
        (20, 20),
        (20, 21),
        (20, 23),
    ]


def test_it_stops_at_its_reach_and_where_the_object_is_lost():
    assert len(list(propagate(Bright(), images(20, 21, 22), disk(8), 2))) == 2
    assert len(list(propagate(Bright(), images(20, 35, 35), disk(8), 9))) == 1
    dark = [np.zeros((40, 40), np.uint8)]
    assert list(propagate(Bright(), dark, disk(8), 9)) == []
    assert list(propagate(Bright(), images(20), disk(0) & False, 9)) == []
