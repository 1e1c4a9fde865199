import math

import pytest
import torch

from napari_simpleclick.training.losses import NormalizedFocalLoss, dice_loss


def images(*pixels: float) -> torch.Tensor:
    return torch.tensor(pixels, dtype=torch.float64).reshape(1, 1, 1, -1)


def test_one_pixel_costs_its_cross_entropy_times_alpha() -> None:
    # One pixel: the normalised focal weight is 1, whatever gamma.
    loss = NormalizedFocalLoss(alpha=0.25, gamma=2)
    assert loss(images(0.0), images(1)).item() == pytest.approx(0.25 * math.log(2))
    assert loss(images(0.0), images(0)).item() == pytest.approx(0.75 * math.log(2))


def test_hard_pixels_take_the_weight_of_easy_ones() -> None:
    # p of the right answer: 1/2 and 3/4; (1-p)^2: 1/4 and 1/16, mean 5/32;
    # weights 8/5 and 2/5.
    loss = NormalizedFocalLoss(alpha=0.5, gamma=2)(
        images(0.0, math.log(3)), images(1, 1)
    )
    expected = 0.5 * (1.6 * math.log(2) + 0.4 * math.log(4 / 3)) / 2
    assert loss.item() == pytest.approx(expected)


def test_gamma_zero_is_the_plain_cross_entropy() -> None:
    logits = torch.linspace(-4, 4, 24, dtype=torch.float64).reshape(2, 1, 3, 4)
    target = (torch.arange(24) % 3 == 0).double().reshape(2, 1, 3, 4)
    loss = NormalizedFocalLoss(alpha=0.5, gamma=0)(logits, target)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, target, reduction="none"
    ).mean(dim=(1, 2, 3))
    torch.testing.assert_close(loss, 0.5 * expected)


def test_the_normalisation_passes_no_gradient() -> None:
    # Both pixels alike: with it constant, the gradient is that of (1-p)^2 log p / w.
    logits = images(0.0, 0.0).requires_grad_()
    NormalizedFocalLoss(alpha=0.5, gamma=2)(logits, images(1, 1)).sum().backward()
    # w = 1/4; d/dx [-(1-p)^2 log p] = 2 (1-p)^2 p log p - (1-p)^3 at p = 1/2.
    slope = (0.25 * math.log(0.5) - 0.125) / 0.25
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == pytest.approx([0.5 * slope / 2] * 2)


def test_far_logits_stay_finite() -> None:
    logits = torch.tensor([[-200.0, 200.0]]).reshape(1, 1, 1, 2).requires_grad_()
    loss = NormalizedFocalLoss()(logits, torch.tensor([[[[1.0, 1.0]]]]))
    loss.sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(loss).all()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("wrong", [{"alpha": 1.5}, {"gamma": -1}])
def test_refuses_parameters_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NormalizedFocalLoss(**wrong)


def test_dice_by_hand() -> None:
    # p = 1/2, 3/4; object = first pixel: overlap 1/2, sums 5/4 and 1.
    loss = dice_loss(images(0.0, math.log(3)), images(1, 0), smooth=1.0)
    assert loss.item() == pytest.approx(1 - (1 + 1) / (2.25 + 1))


def test_dice_is_per_image() -> None:
    logits = torch.tensor([[[[50.0, -50.0]]], [[[50.0, -50.0]]]])
    target = torch.tensor([[[[1, 0]]], [[[0, 1]]]])
    assert dice_loss(logits, target, smooth=0).tolist() == pytest.approx([0, 1])
