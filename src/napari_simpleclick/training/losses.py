"""Losses of the training: NormalizedFocalLoss and the soft Dice loss."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-8


class NormalizedFocalLoss(nn.Module):
    """Focal loss whose weights sum, in every image, to its number of pixels.

    The plain focal loss fades as the network gets better; normalised, its gradient
    keeps its size and only moves to the pixels that are still wrong.

    Parameters
    ----------
    alpha : float
        Weight of the object's pixels, in [0, 1]; the others get ``1 - alpha``.
    gamma : float
        Focusing exponent, at least 0.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    Sofiiuk, Barinova, Konushin, AdaptIS, ICCV 2019, section 3.3. SimpleClick trains
    with alpha 0.5 and gamma 2.
    """

    def __init__(self, alpha: float = 0.5, gamma: float = 2.0) -> None:
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha: {alpha}, expected a number in [0, 1]")
        if gamma < 0:
            raise ValueError(f"gamma: {gamma}, expected at least 0")
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of every image.

        Parameters
        ----------
        logits : Tensor
            (B, 1, H, W), float.
        target : Tensor
            (B, 1, H, W), bool or 0 and 1.

        Returns
        -------
        Tensor
            (B,), float.
        """
        sign = target.to(logits.dtype) * 2 - 1
        log_right = functional.logsigmoid(logits * sign)
        focus = (1 - log_right.exp()) ** self.gamma
        weight = focus / (focus.detach().mean(dim=(1, 2, 3), keepdim=True) + EPSILON)
        balance = 0.5 + (self.alpha - 0.5) * sign
        return -(balance * weight * log_right).mean(dim=(1, 2, 3))


def dice_loss(logits: Tensor, target: Tensor, smooth: float = 1.0) -> Tensor:
    """Compute one minus the soft Dice coefficient of every image.

    Parameters
    ----------
    logits : Tensor
        (B, 1, H, W), float.
    target : Tensor
        (B, 1, H, W), bool or 0 and 1.
    smooth : float
        Added to numerator and denominator, in pixels.

    Returns
    -------
    Tensor
        (B,), float in [0, 1].

    References
    ----------
    Milletari, Navab, Ahmadi, V-Net, 3DV 2016, with plain sums in the denominator.
    """
    probability = logits.sigmoid()
    wanted = target.to(logits.dtype)
    overlap = (probability * wanted).sum(dim=(1, 2, 3))
    total = probability.sum(dim=(1, 2, 3)) + wanted.sum(dim=(1, 2, 3))
    return 1 - (2 * overlap + smooth) / (total + smooth)
