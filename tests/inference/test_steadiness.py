"""The later a click, the less it changes of what is far from it."""

import numpy as np
import pytest

from napari_simpleclick.inference.predictor import Predictor
from napari_simpleclick.inference.steadiness import settled
from napari_simpleclick.types import Click, Prediction, Roi

SETTINGS = {"near": (2.0, 2.0), "around": (8.0, 8.0), "threshold": 0.49}


def square(low: int, high: int, *, size: int = 60) -> np.ndarray:
    probability = np.zeros((size, size), np.float32)
    probability[low:high, low:high] = 0.9
    return probability


def test_only_the_change_at_the_click_is_kept() -> None:
    before = square(10, 50)
    after = before.copy()
    after[10:12, 20:30] = 0.1  # at the click
    after[48:50, 20:30] = 0.1  # elsewhere
    after[55, 55] = 0.8
    clicks = [Click(11, 25, is_positive=False)]
    result = settled(Prediction(after.copy()), Prediction(before), clicks, **SETTINGS)
    expected = before.copy()
    expected[10:12, 20:30] = 0.1
    np.testing.assert_array_equal(result.probability, expected)


def test_a_change_that_reaches_the_click_is_kept_whole() -> None:
    before, after = square(10, 50), square(10, 50)
    after[10:12, 14:46] = 0.1
    click = Click(13, 14, is_positive=False)  # three pixels from it, cells count whole
    result = settled(Prediction(after.copy()), Prediction(before), [click], **SETTINGS)
    np.testing.assert_array_equal(result.probability, after)


def test_a_large_change_is_kept_as_it_is() -> None:
    new, old = Prediction(square(10, 50)), Prediction(square(10, 40))
    assert settled(new, old, [Click(45, 45)] * 5, **SETTINGS) is new


def test_a_late_large_change_is_averaged_away_from_the_click() -> None:
    before, after = square(10, 40), square(10, 40)
    after[10:40, 10:25] = [[0.4]]  # less sure than it was
    after[20:40, 40:50] = 0.99  # surer than it was
    clicks = [Click(12, 12)] * 6
    result = settled(Prediction(after.copy()), Prediction(before), clicks, **SETTINGS)
    assert result.probability[14, 14] == pytest.approx(0.4)  # around the click
    odds = (np.log(0.9 / 0.1) + np.log(0.4 / 0.6)) / 2
    assert result.probability[39, 24] == pytest.approx(1 / (1 + np.exp(-odds)))
    assert result.probability[30, 45] < 0.49  # the mask before was surer of it
    assert result.probability[35, 35] == np.float32(0.9)  # no change at all
    between = result.probability[12, 24]  # one and a half times as far as around it
    assert 0.4 < between < result.probability[39, 24]


def test_surer_pixels_of_the_same_class_are_kept() -> None:
    before, after = square(10, 50), square(10, 50)
    after[30, 30] = 0.6
    result = settled(
        Prediction(after.copy()), Prediction(before), [Click(5, 5)], **SETTINGS
    )
    assert result.probability[30, 30] == np.float32(0.6)


def test_boxes_are_parts_of_the_image() -> None:
    shape, left, right = (60, 60), Roi(10, 49, 10, 49), Roi(11, 50, 9, 48)
    old = Prediction(np.full(left.shape, 0.9, np.float32), box=left, shape=shape)
    inside = np.full(right.shape, 0.9, np.float32)
    new = Prediction(inside, right, box=right, shape=shape)
    result = settled(new, old, [Click(52, 30)], **SETTINGS)
    changed = result.mask() ^ old.mask()
    assert result.roi == right
    assert result.shape == shape
    assert changed[50, 9:49].all()  # the new row is next to the click ...
    assert changed[:, 9].sum() == 40  # ... and a column that hangs on to it
    assert not changed[10].any()  # the row that went away is not
    assert not changed[:, 49].any()


@pytest.mark.parametrize("clicks", [1, 2])
@pytest.mark.parametrize("is_drawn", [True, False])
def test_a_predictor_is_steady_after_an_answer(clicks: int, is_drawn: bool) -> None:
    def model(image, prev_mask, points):  # type: ignore[no-untyped-def]
        logits = prev_mask * 8 - 4
        logits[..., -4:, -4:] = 4  # a flicker in a corner
        return logits

    roi = None if is_drawn else Roi(0, 59, 0, 59)
    old = Prediction(square(10, 50), roi)
    predictor = Predictor(model, input_size=60, zoom_in=None, steady=True)
    image = np.zeros((60, 60), np.uint8)
    given = [Click(20, 20), Click(30, 30)][:clicks]
    flickers = predictor.predict(image, given, old).mask()[59, 59]
    assert flickers == (is_drawn or clicks == 1)
