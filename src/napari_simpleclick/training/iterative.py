"""IterativeClicks: clicks as in the papers, random ones and then rounds of corrections.

Every step takes new canvases. Random clicks are made on each; then the network answers
up to three times without gradients, and each answer is corrected by one more click.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from napari_simpleclick.training.click_source import THRESHOLD, ClickBatch
from napari_simpleclick.training.random_clicks import random_clicks
from napari_simpleclick.training.robot_clicks import CELL, depth_in_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class IterativeClicks:
    """The papers' simulation of clicks.

    Parameters
    ----------
    canvases : Iterator
        Endless; gives image (C, C), uint8, and mask (C, C), bool.
    predict : callable
        From a ClickBatch to probabilities (B, 1, S, S), without gradients.
    max_points : int
        Largest number of clicks of either sign.
    rounds : int
        Largest number of rounds without gradients; 0 to this many are drawn for every
        batch.
    seed : int
        Seed of the clicks.
    device : str or torch.device
        Where the clicks are simulated.

    References
    ----------
    Sofiiuk, Petrov, Konushin, Reviving Iterative Training with Mask Guidance for
    Interactive Segmentation, ICIP 2022, section 3.3; Liu et al., SimpleClick, ICCV
    2023, section 3.4, with 24 points and 3 rounds. As published, corrections take the
    places of the last random clicks.
    """

    def __init__(
        self,
        canvases: Iterator[tuple[Tensor, Tensor]],
        predict: Callable[[ClickBatch], Tensor],
        *,
        max_points: int = 24,
        rounds: int = 3,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        self.canvases = canvases
        self.predict = predict
        self.max_points = max_points
        self.rounds = rounds
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.drawn = 0

    def open(self) -> None:
        """Do nothing: canvases are taken as they are needed."""

    def batch(self, users: int, size: int) -> ClickBatch:
        """Make clicks on new canvases.

        Parameters
        ----------
        users : int
            Number of canvases, B.
        size : int
            Side S of the network's input in pixels.
        """
        image, mask = self._draw(users, size)
        batch = ClickBatch(
            image=image.expand(-1, 3, -1, -1),
            prev_mask=torch.zeros_like(image),
            points=random_clicks(mask[:, 0], self.max_points, self.generator),
            mask=mask,
            users=torch.arange(users, device=self.device),
        )
        for number in range(1, 1 + self._number_of_rounds()):
            answer = self.predict(batch)
            points = self._corrected(batch, answer[:, 0] > THRESHOLD, number)
            batch = ClickBatch(batch.image, answer, points, mask, batch.users)
        return batch

    def answer(self, batch: ClickBatch, probability: Tensor) -> Tensor:
        """Measure the answer to a batch, at the size of the input.

        Returns
        -------
        Tensor
            (B, 2), float, on the CPU: number of clicks, and IoU.
        """
        predicted = probability > THRESHOLD
        overlap = (predicted & batch.mask).sum(dim=(1, 2, 3))
        union = (predicted | batch.mask).sum(dim=(1, 2, 3))
        count = (batch.points[..., 2] >= 0).sum(dim=1)
        return torch.stack([count, overlap / union], dim=1).cpu()

    def state_dict(self) -> dict[str, Any]:
        """Return all that `load_state_dict` needs, as tensors and numbers."""
        return {"drawn": self.drawn, "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state of another source, but not its canvases."""
        self.drawn = state["drawn"]
        self.generator.set_state(state["generator"])

    def _draw(self, users: int, size: int) -> tuple[Tensor, Tensor]:
        """Take canvases at the size of the input: (B, 1, S, S), float and bool."""
        taken = [next(self.canvases) for _ in range(users)]
        self.drawn += users
        layers = torch.stack(
            [torch.stack([image, 255 * mask]) for image, mask in taken]
        ).to(self.device)
        resized = functional.interpolate(
            layers.float() / 255,
            size=(size, size),
            mode="bilinear",
            align_corners=False,
            antialias=layers.shape[-1] > size,
        )
        covered = resized[:, 1:]
        most = covered.amax(dim=(2, 3), keepdim=True)
        # Of an object that is thinner than a pixel there remain those it covers most.
        mask = torch.where(most > 0.5, covered > 0.5, (covered == most) & (most > 0))
        return resized[:, :1], mask

    def _number_of_rounds(self) -> int:
        drawn = torch.rand(1, generator=self.generator, device=self.device)
        return int(drawn * (self.rounds + 1))

    def _corrected(self, batch: ClickBatch, predicted: Tensor, number: int) -> Tensor:
        """Put a correction in the place of the last but `number - 1` random click."""
        clicks = inner_error_clicks(batch.mask[:, 0], predicted, self.generator)
        points = batch.points.clone()
        wrong = clicks[:, 2] >= 0
        first = torch.where(clicks[:, 2] > 0, self.max_points, 2 * self.max_points)
        place = first - min(number, self.max_points)
        order = torch.full_like(clicks[:, 2], number)
        click = torch.stack([clicks[:, 0], clicks[:, 1], order], dim=1)
        users = torch.arange(len(points), device=points.device)
        points[users[wrong], place[wrong]] = click[wrong]
        return points


def inner_error_clicks(
    masks: Tensor, predicted: Tensor, generator: torch.Generator
) -> Tensor:
    """Click anywhere in the inner half of the deeper error.

    Depth is counted in coarse cells, see `depth_in_cells`.

    Parameters
    ----------
    masks, predicted : Tensor
        (B, H, W), bool: the objects and the answers.
    generator : Generator
        Source of randomness, on the device of the masks.

    Returns
    -------
    Tensor
        (B, 3), float32: row, column, and 1 for a positive, 0 for a negative click; -1
        where nothing is wrong.
    """
    errors = torch.stack([masks & ~predicted, predicted & ~masks], dim=1)
    depth = depth_in_cells(errors)
    deepest = depth.amax(dim=(2, 3))
    channel = (deepest[:, 0] <= deepest[:, 1]).long()  # at a tie the surplus
    users = torch.arange(len(masks), device=masks.device)
    inner = depth[users, channel] > deepest[users, channel, None, None] / 2
    inner = inner.repeat_interleave(CELL, 1).repeat_interleave(CELL, 2)
    height, width = masks.shape[1:]
    candidates = inner[:, :height, :width] & errors[users, channel]
    chance = torch.rand(candidates.shape, generator=generator, device=masks.device)
    best, place = (candidates * (chance + 1e-6)).flatten(1).max(dim=1)
    clicks = torch.stack([place // width, place % width, 1 - channel], dim=1).float()
    return clicks.where(best[:, None] > 0, -1.0)
