"""Clicks on slices, the rest filled in: a ball and a model that can be followed."""

import math

import numpy as np
import pytest

from napari_simpleclick.evaluation.boundary import surface_distance
from napari_simpleclick.evaluation.samples import SliceClick, VolumeSample
from napari_simpleclick.evaluation.volume_run import evaluate_any, evaluate_volume
from napari_simpleclick.types import Prediction, Sample


def ball(radius=8, shape=(21, 30, 30)):
    z, y, x = np.indices(shape)
    return (z - 10) ** 2 + (y - 15) ** 2 + (x - 15) ** 2 <= radius**2


def sample(mask=None, slices=range(21), reach=0, size=None):
    mask = ball() if mask is None else mask
    image = (200 * mask).astype(np.uint8)
    return VolumeSample("v/1", image, mask, slices, reach, size)


class Bright:
    """Answers with all that is bright, or nothing to a negative click."""

    threshold = 0.5

    def __init__(self):
        self.calls = []

    def predict(self, image, clicks, previous=None):
        self.calls.append((len(clicks), previous))
        bright = (image > 100) & clicks[-1].is_positive
        return Prediction(bright.astype(np.float32))


def iou(a, b):
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def test_clicks_go_to_the_worst_slice_and_the_gap_is_interpolated():
    result = evaluate_volume(Bright(), sample(), 4)
    # The middle first; then the first of the largest slices that are missing.
    assert [click.index for click in result.clicks[:3]] == [10, 9, 11]
    assert result.clicks[0] == SliceClick(15, 15, True, 10)
    mask = ball()
    for k in (1, 2, 3):
        alone = np.zeros_like(mask)
        for click in result.clicks[:k]:
            alone[click.index] = mask[click.index]
        assert result.ious[k - 1] == pytest.approx(iou(alone, mask), rel=1e-6)
    assert (np.diff(result.ious) > 0).all()


def test_between_distant_slices_the_shape_is_filled_in():
    few = evaluate_volume(Bright(), sample(slices=range(2, 21, 4)), 5)
    assert sorted({click.index for click in few.clicks}) == [2, 6, 10, 14, 18]
    assert few.ious[-1] > 0.8
    assert few.ious[-1] > 2.5 * np.count_nonzero(ball()[2::4]) / ball().sum()


def test_reach_goes_beyond_the_outermost_slices():
    result = evaluate_volume(Bright(), sample(reach=3), 1)
    seen = np.zeros_like(ball())
    seen[7:14] = ball()[7:14]
    assert result.ious[0] == pytest.approx(iou(seen, ball()), rel=1e-6)


def test_a_first_click_on_a_filled_slice_starts_from_the_filling():
    mask = ball()
    mask[10] = False
    model = Bright()
    result = evaluate_volume(model, sample(mask, slices=(6, 10, 14)), 3)
    assert [(click.index, click.is_positive) for click in result.clicks] == [
        (6, True),
        (14, True),
        (10, False),
    ]
    assert model.calls[1][1] is None
    assert model.calls[2][1].probability.sum() > 100  # round, between round slices
    assert result.ious[-1] < result.ious[-2]  # the gaps now end half-way


def test_where_nothing_is_wrong_there_is_no_further_click():
    mask = np.zeros((5, 30, 30), dtype=bool)
    mask[2] = ball()[10]
    result = evaluate_volume(Bright(), sample(mask, slices=range(5)), 4)
    assert result.ious.tolist() == [1, 1, 1, 1]
    assert len(result.clicks) == 1


def test_the_surface_is_that_in_three_dimensions():
    mask = np.zeros((9, 30, 30), dtype=bool)
    mask[3:6, 10:20, 10:20] = True
    two = evaluate_volume(Bright(), sample(mask, range(3, 5), size=(2.0, 1.0, 1.0)), 2)
    seen = mask.copy()
    seen[5] = False
    assert two.ious[-1] == pytest.approx(2 / 3)
    expected = surface_distance(mask, seen, (2, 1, 1))
    assert two.surface_mm == pytest.approx(expected)
    assert 0 < expected < 2
    assert math.isnan(two.boundary_iou)
    assert math.isnan(evaluate_volume(Bright(), sample(), 1).surface_mm)


def test_every_click_is_told_with_the_volume_after_it():
    told = []
    result = evaluate_volume(
        Bright(), sample(), 3, lambda click, volume: told.append((click, volume))
    )
    assert [click for click, _ in told] == list(result.clicks)
    ious = [iou(volume, ball()) for _, volume in told]
    assert ious == pytest.approx(result.ious.tolist())


def test_slices_and_volumes_are_told_apart():
    flat = Sample("i/1", np.full((30, 30), 200, np.uint8), ball()[10])
    results = list(evaluate_any(Bright(), [flat, flat], 2, batch_size=2))
    assert [type(click) for click in results[0].clicks] != [SliceClick] * 2
    assert len(results) == 2
    (result,) = evaluate_any(Bright(), [sample()], 2)
    assert [type(click) for click in result.clicks] == [SliceClick] * 2
    assert list(evaluate_any(Bright(), [], 2)) == []
    with pytest.raises(ValueError, match="max_clicks: 0"):
        evaluate_volume(Bright(), sample(), 0)
