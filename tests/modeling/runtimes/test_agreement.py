import numpy as np
import pytest
from numpy.typing import NDArray

from napari_simpleclick.modeling.runtimes.agreement import (
    LEAST_AGREEMENT,
    measure_agreement,
    reference_answer,
    reference_inputs,
)
from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager
from napari_simpleclick.modeling.simpleclick import SimpleClick

Floats = NDArray[np.float32]


def disk(image: Floats, prev_mask: Floats, points: Floats) -> Floats:
    """Logits that do not look: a disk of 1201 pixels in the middle."""
    rows = np.arange(64)
    inside = (rows[:, None] - 32) ** 2 + (rows - 32) ** 2 < 20**2
    return np.where(inside, np.float32(9), np.float32(-9))[None, None]


def test_the_same_answers_agree(network: SimpleClick) -> None:
    compute = TorchEager(network)
    assert measure_agreement(compute, reference_answer(compute, 64)) == 1
    assert measure_agreement(disk, reference_answer(disk, 64)) == 1


def test_it_is_the_iou_of_the_masks() -> None:
    def shifted(image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        return np.roll(disk(image, prev_mask, points), 5, axis=2)

    unseen = np.empty(0, np.float32)
    mask, other = (f(unseen, unseen, unseen) > 0 for f in (disk, shifted))
    expected = (mask & other).sum() / (mask | other).sum()
    found = measure_agreement(shifted, reference_answer(disk, 64))
    assert found == pytest.approx(float(expected), abs=1e-6)
    assert found < LEAST_AGREEMENT


def test_where_nothing_is_found_probabilities_are_compared() -> None:
    def nothing(image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        return np.full_like(prev_mask, -9)

    def unsure(image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        return np.full_like(prev_mask, -0.1)

    assert measure_agreement(nothing, reference_answer(nothing, 64)) == 1
    assert measure_agreement(unsure, reference_answer(nothing, 64)) < 0.6


def test_what_is_not_finite_does_not_agree(network: SimpleClick) -> None:
    compute = TorchEager(network)

    def broken(image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        return compute(image, prev_mask, points) * np.float32(np.nan)

    assert measure_agreement(broken, reference_answer(compute, 64)) == 0


def test_the_slice_has_clicks_and_a_mask_to_correct() -> None:
    image, prev_mask, points = reference_inputs(48)
    assert image.shape == (1, 3, 48, 48)
    assert 0 <= image.min() < 0.3
    assert 0.6 < image.max() <= 1
    assert prev_mask.shape == (1, 1, 48, 48)
    assert 0.05 < (prev_mask > 0.5).mean() < 0.3
    assert int((points[0, :, 0] >= 0).sum()) == 3
    at_first = reference_inputs(48, 1)
    np.testing.assert_array_equal(at_first[0], image)
    assert not at_first[1].any()
    np.testing.assert_array_equal(at_first[2], points[:, [0, 3]])
