import numpy as np
import pytest

from napari_simpleclick.inference.reach import (
    EVIDENCE,
    reach_of,
    speak_for_surroundings,
)
from napari_simpleclick.types import Click, Prediction, Roi


def square() -> Prediction:
    """Rows and columns 10 to 20 of an image of 40 x 50, held in a smaller box."""
    probability = np.zeros((20, 25), np.float32)
    probability[5:16, 5:16] = 0.9
    return Prediction(probability, box=Roi(5, 24, 5, 29), shape=(40, 50))


@pytest.mark.parametrize(
    ("click", "expected"),
    [
        (Click(15, 25), 5),  # to the right, the mask ends at column 20
        (Click(24, 23), 5),  # from a corner: 4 down, 3 across
        (Click(15, 15), 0),  # is in the mask already
        (Click(15, 17, is_positive=False), 4),
        (Click(15, 25, is_positive=False), 0),
        (Click(39, 49), 8),  # nothing within the most
    ],
)
def test_a_click_reaches_to_the_edge_of_the_mask(click: Click, expected: float) -> None:
    assert reach_of(click, square(), 0.5, 8) == pytest.approx(expected)


def test_what_is_near_is_believed_unless_the_network_is_sure() -> None:
    probability = np.full((20, 25), 0.2, np.float32)
    probability[:, 12:] = 0.001
    answer = Prediction(probability, box=Roi(5, 24, 5, 29), shape=(40, 50))
    speak_for_surroundings(answer, Click(14, 16), 4.0)
    at_click, beside, sure, edge = answer.within(Roi(14, 14, 13, 20)).ravel()[
        [3, 2, 5, 7]
    ]
    for probability_now, share in ((at_click, 1), (beside, 0.75)):
        odds = 0.2 / 0.8 * np.exp(EVIDENCE * share)
        assert probability_now == pytest.approx(odds / (1 + odds), rel=1e-5)
        assert probability_now > 0.5
    assert 0.001 < sure < 0.5
    assert edge == np.float32(0.001)


def test_negative_clicks_lower_by_as_much() -> None:
    answer = Prediction(np.full((9, 9), 0.9, np.float32))
    speak_for_surroundings(answer, Click(4, 4, is_positive=False), 2.0)
    lowered = np.exp(-EVIDENCE) * 9
    assert answer.probability[4, 4] == pytest.approx(lowered / (1 + lowered), rel=1e-5)
    assert answer.probability[4, 4] < answer.probability[4, 5] < 0.9
    assert answer.probability[4, 6] == np.float32(0.9)


@pytest.mark.parametrize("click", [Click(0, 0), Click(39, 49)])
def test_at_the_edge_and_beyond_what_is_held(click: Click) -> None:
    answer = square()
    before = answer.probability.copy()
    speak_for_surroundings(answer, click, 4.0)
    np.testing.assert_array_equal(answer.probability, before)
    speak_for_surroundings(answer, click, 0.0)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_certainty_stays_finite(value: float) -> None:
    answer = Prediction(np.full((5, 5), value, np.float32))
    speak_for_surroundings(answer, Click(2, 2, is_positive=value == 0), 2.0)
    assert np.isfinite(answer.probability).all()
    np.testing.assert_allclose(answer.probability, value, atol=1e-3)
