import numpy as np

from napari_simpleclick.inference.obedience import CONFIDENCE, obedient, obey_clicks
from napari_simpleclick.types import Click, Prediction, Roi


def test_a_disk_around_each_click_gets_its_class() -> None:
    probability = np.full((20, 20), 0.5, np.float32)
    obey_clicks(probability, [Click(5, 5), Click(14, 14, is_positive=False)], (2, 2))
    assert probability[5, 5] == probability[5, 7] == CONFIDENCE
    assert probability[14, 14] == probability[16, 14] == 1 - CONFIDENCE
    assert probability[7, 7] == 0.5
    assert (probability > 0.5).sum() == (probability < 0.5).sum() == 21


def test_what_is_surer_stays_and_the_later_click_counts() -> None:
    probability = np.full((9, 9), 0.9, np.float32)
    obey_clicks(probability, [Click(4, 4)], (3, 3))
    assert (probability == np.float32(0.9)).all()
    obey_clicks(probability, [Click(4, 4), Click(4, 4, is_positive=False)], (0, 0))
    assert probability[4, 4] == 1 - CONFIDENCE
    assert (probability < 0.5).sum() == 1


def test_at_the_corner_the_disk_is_cut() -> None:
    probability = np.zeros((6, 8), np.float32)
    obey_clicks(probability, [Click(0, 7.4)], (1.9, 2.2))
    assert probability[0, 7] == CONFIDENCE
    assert probability[1, 7] == probability[0, 5] == CONFIDENCE
    assert (probability > 0).sum() == 5


def test_a_part_of_a_map_is_corrected_like_the_whole() -> None:
    held = Roi(5, 24, 10, 34)
    inside = np.random.default_rng(0).random(held.shape, dtype=np.float32)
    part = Prediction(inside.copy(), held, box=held, shape=(30, 40))
    expected = part.probability
    clicks = [
        Click(5, 20),  # its disk reaches out of the box
        Click(15.4, 33.6),
        Click(12, 12, is_positive=False),
        Click(1, 1, is_positive=False),  # outside
        Click(29, 39, is_positive=False),
    ]
    obey_clicks(expected, clicks, (3, 2))
    corrected = obedient(part, clicks, (3, 2))
    np.testing.assert_array_equal(corrected.probability, expected)
    assert corrected.roi == held
    assert (expected[:5] == CONFIDENCE).any()
