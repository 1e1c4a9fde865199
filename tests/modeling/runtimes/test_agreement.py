import pytest
import torch
from torch import Tensor

from napari_simpleclick.modeling.runtimes.agreement import (
    LEAST_AGREEMENT,
    measure_agreement,
    reference_inputs,
)
from napari_simpleclick.modeling.simpleclick import SimpleClick

CPU = torch.device("cpu")


def disk(image: Tensor, prev_mask: Tensor, points: Tensor) -> Tensor:
    """Logits that do not look: a disk of 1201 pixels in the middle."""
    rows = torch.arange(64)
    inside = (rows[:, None] - 32) ** 2 + (rows - 32) ** 2 < 20**2
    return torch.where(inside, 9.0, -9.0)[None, None]


def test_the_same_answers_agree(network: SimpleClick) -> None:
    assert measure_agreement(network, network, 64, CPU) == 1
    assert measure_agreement(disk, disk, 64, CPU) == 1


def test_it_is_the_iou_of_the_masks() -> None:
    def shifted(image: Tensor, prev_mask: Tensor, points: Tensor) -> Tensor:
        return disk(image, prev_mask, points).roll(5, dims=2)

    mask, other = (f(None, None, None) > 0 for f in (disk, shifted))
    expected = (mask & other).sum() / (mask | other).sum()
    found = measure_agreement(shifted, disk, 64, CPU)
    assert found == pytest.approx(float(expected), abs=1e-6)
    assert found < LEAST_AGREEMENT


def test_where_nothing_is_found_probabilities_are_compared() -> None:
    def nothing(image: Tensor, prev_mask: Tensor, points: Tensor) -> Tensor:
        return torch.full_like(prev_mask, -9)

    def unsure(image: Tensor, prev_mask: Tensor, points: Tensor) -> Tensor:
        return torch.full_like(prev_mask, -0.1)

    assert measure_agreement(nothing, nothing, 64, CPU) == 1
    assert measure_agreement(unsure, nothing, 64, CPU) < 0.6


def test_what_is_not_finite_does_not_agree(network: SimpleClick) -> None:
    def broken(image: Tensor, prev_mask: Tensor, points: Tensor) -> Tensor:
        return network(image, prev_mask, points) * torch.nan

    assert measure_agreement(broken, network, 64, CPU) == 0


def test_one_click_more_each_time() -> None:
    images, points = zip(*reference_inputs(48), strict=True)
    assert [int((p[0, :, 0] >= 0).sum()) for p in points] == [1, 2, 3]
    for image in images:
        assert image.shape == (1, 3, 48, 48)
        assert 0 <= image.min() < 0.3
        assert 0.6 < image.max() <= 1
        torch.testing.assert_close(image, images[0], rtol=0, atol=0)
