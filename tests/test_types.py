"""A prediction is about a whole image, however little of it is held."""

from __future__ import annotations

import numpy as np
import pytest

from napari_simpleclick.types import Prediction, Roi

INSIDE = np.array([[0.2, 0.6], [0.9, 0.4]], np.float32)


def test_a_whole_map_is_held_as_it_is() -> None:
    whole = Prediction(INSIDE)
    assert whole.probability is INSIDE
    assert (whole.shape, whole.box, whole.roi) == ((2, 2), Roi(0, 1, 0, 1), None)


def test_outside_of_its_box_nothing_is_object() -> None:
    part = Prediction(INSIDE, Roi(0, 3, 0, 4), box=Roi(1, 2, 3, 4), shape=(4, 5))
    expected = np.zeros((4, 5), np.float32)
    expected[1:3, 3:] = INSIDE
    np.testing.assert_array_equal(part.probability, expected)
    np.testing.assert_array_equal(part.mask(0.5), expected > 0.5)
    assert part.roi == Roi(0, 3, 0, 4)


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        (Roi(0, 2, 0, 1), (4, 5)),
        (Roi(3, 4, 0, 1), (4, 5)),
        (Roi(-1, 0, 0, 1), (4, 5)),
        (None, (4, 5)),
    ],
)
def test_a_box_that_does_not_fit_is_refused(
    box: Roi | None, shape: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="box: "):
        Prediction(INSIDE, box=box, shape=shape)
