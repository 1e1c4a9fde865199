import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_simpleclick.training.random_clicks import random_clicks


@pytest.fixture
def masks() -> torch.Tensor:
    masks = torch.zeros(64, 60, 80, dtype=torch.bool)
    masks[:, 20:40, 30:60] = True
    return masks


def clicked(points: torch.Tensor) -> torch.Tensor:
    return points[points[:, 2] >= 0].long()


def test_positive_clicks_lie_on_the_object_mostly_off_its_outline(
    masks: torch.Tensor,
) -> None:
    points = random_clicks(masks, 24, torch.Generator().manual_seed(0))
    assert points.shape == (64, 48, 3)
    rows, cols, _ = clicked(points[:, :24].reshape(-1, 3)).T
    assert masks[0][rows, cols].all()
    inner = ndimage.binary_erosion(masks[0].numpy(), np.ones((3, 3)), iterations=3)
    share = inner[rows.numpy(), cols.numpy()].mean()
    assert 0.85 < share < 1


def test_negative_clicks_are_outside_and_half_of_them_near(
    masks: torch.Tensor,
) -> None:
    points = random_clicks(masks, 24, torch.Generator().manual_seed(1))
    rows, cols, _ = clicked(points[:, 24:].reshape(-1, 3)).T
    assert not masks[0][rows, cols].any()
    # The ring is ceil(0.1 * sqrt(600)) = 3 pixels wide.
    near = ndimage.binary_dilation(masks[0].numpy(), np.ones((3, 3)), iterations=3)
    share = near[rows.numpy(), cols.numpy()].mean()
    expected = 0.5 + 0.5 * (near.sum() - 600) / (60 * 80 - 600)
    assert share == pytest.approx(expected, abs=0.08)


def test_numbers_of_clicks_fall_by_a_fifth(masks: torch.Tensor) -> None:
    generator = torch.Generator().manual_seed(2)
    points = torch.cat([random_clicks(masks, 24, generator) for _ in range(20)])
    counts = (points[:, :24, 2] >= 0).sum(dim=1)
    assert counts.min() == 1
    assert counts.max() <= 24
    ones, twos = (int((counts == number).sum()) for number in (1, 2))
    assert ones / len(counts) == pytest.approx(0.2, abs=0.04)
    assert twos / len(counts) == pytest.approx(0.16, abs=0.04)
    negative = (points[:, 24:, 2] >= 0).sum(dim=1)
    assert float((negative == 0).float().mean()) == pytest.approx(0.2, abs=0.04)


def test_an_object_that_fills_the_image_has_no_negative_clicks() -> None:
    whole = torch.ones(3, 9, 9, dtype=torch.bool)
    points = random_clicks(whole, 5, torch.Generator().manual_seed(0))
    assert (points[:, 5:] == -1).all()
    assert (points[:, 0, 2] >= 0).all()


def test_a_thin_object_is_clicked_all_the_same() -> None:
    thin = torch.zeros(8, 20, 20, dtype=torch.bool)
    thin[:, 10] = True
    points = random_clicks(thin, 4, torch.Generator().manual_seed(0))
    rows, _, _ = clicked(points[:, :4].reshape(-1, 3)).T
    assert (rows == 10).all()
