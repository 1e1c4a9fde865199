import numpy as np

from napari_simpleclick.inference.obedience import CONFIDENCE, obey_clicks
from napari_simpleclick.types import Click


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
