import numpy as np
import pytest

from napari_simpleclick.evaluation.confidence import bootstrap_interval


def interval(values, images, **options):
    return bootstrap_interval(values, images, np.random.default_rng(0), **options)


def test_one_image_or_equal_values_leave_no_doubt():
    low, high = interval([[1.0, 2.0], [3.0, 4.0]], ["a", "a"])
    assert low.tolist() == high.tolist() == [2, 3]
    low, high = interval([[0.5]] * 4, list("abcd"))
    assert low == high == 0.5


def test_two_images_are_drawn_whole():
    # Means of the possible draws: aa -> 0 (1/4), ab -> 3/4 (1/2), bb -> 1 (1/4).
    values, images = [[0.0], [1.0], [1.0], [1.0]], ["a", "b", "b", "b"]
    assert np.array(interval(values, images)).ravel().tolist() == [0, 1]
    assert np.array(interval(values, images, level=0.3)).ravel().tolist() == [0.75] * 2


def test_width_is_that_of_the_normal_approximation():
    rng = np.random.default_rng(1)
    values = rng.normal(5, 2, (400, 1))
    low, high = interval(values, [str(i) for i in range(400)], n_draws=4000)
    half = 1.96 * values.std() / 20
    np.testing.assert_allclose(
        [low[0], high[0]], values.mean() + np.array([-half, half]), atol=0.02
    )


def test_other_tables_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 1\), 1"):
        interval([[1.0], [2.0]], ["a"])
    with pytest.raises(ValueError, match=r"shape \(0, 1\), 0"):
        interval(np.zeros((0, 1)), [])
