"""ClickPool: many simulated users at work at once, each one click further a step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from napari_simpleclick.training import zoom
from napari_simpleclick.training.background_jobs import BackgroundJobs
from napari_simpleclick.training.click_source import THRESHOLD, ClickBatch
from napari_simpleclick.training.corrected_answers import corrected_answers
from napari_simpleclick.training.flooded_answers import flooded_answers
from napari_simpleclick.training.robot_clicks import RANDOM_CLICKS, next_clicks
from napari_simpleclick.training.robot_user_clicks import robot_user_clicks
from napari_simpleclick.training.small_images import SMALLEST_CROP, made_small
from napari_simpleclick.training.views import points_in_view, tinted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

STATE = (
    "image",
    "mask",
    "probability",
    "clicks",
    "count",
    "box",
    "extent",
    "zoomed",
    "smallest",
    "waiting",
    "drawn",
)
"""Names of the attributes that change."""


class ClickPool:
    """Simulated users, each clicking on a canvas of its own.

    A user first sees the whole canvas. From the second click on the view is the
    zoom-in box of the evaluation protocol around the last prediction; sometimes there
    is such a closer look without a new click. So every forward pass of the training is
    also a round of the simulation. After a random number of clicks a user takes a new
    canvas. A user for whom the processor works (a watershed, a click on the very pixel)
    sits out one batch, so that a GPU does not have to wait.

    Parameters
    ----------
    canvases : Iterator
        Endless; gives image (C, C), uint8, and mask (C, C), bool.
    side : int
        Side C of a canvas in pixels.
    users : int
        Number of users.
    max_clicks : int
        Largest number of clicks on one canvas.
    stop_probability : float
        Chance of a user to stop after a click, in (0, 1].
    second_looks : float
        Chance, in [0, 1], of a closer look without a new click after the first look;
        a fifth of it after others.
    flood : bool
        Whether such a closer look gets a `flooded` first answer.
    obey, steady : bool
        Whether users see, and click on, answers that are `corrected` in these ways.
    small_images : float
        Share of the canvases, in [0, 1], that are made images of few pixels, see
        `training.small_images`.
    seed : int
        Seed of the users' behaviour.
    device : str
        Where the canvases are kept.

    References
    ----------
    Sofiiuk, Petrov, Konushin, Reviving Iterative Training with Mask Guidance for
    Interactive Segmentation, ICIP 2022, simulates clicks for a batch in rounds without
    gradients; here the rounds of one user are spread over the steps.
    """

    def __init__(
        self,
        canvases: Iterator[tuple[Tensor, Tensor]],
        *,
        side: int,
        users: int = 64,
        max_clicks: int = 12,
        stop_probability: float = 0.28,
        second_looks: float = 0.5,
        flood: bool = False,
        obey: bool = False,
        steady: bool = False,
        small_images: float = 0.0,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.canvases = canvases
        self.stop_probability = stop_probability
        self.second_looks = second_looks
        self.flood = flood
        self.obey = obey
        self.steady = steady
        self.small_images = small_images
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.side = side
        self.drawn = 0
        with self.device:
            self.image = torch.zeros(users, side, side, dtype=torch.uint8)
            self.mask = torch.zeros(users, side, side, dtype=torch.bool)
            self.probability = torch.zeros(users, side, side, dtype=torch.uint8)
            self.clicks = torch.full((users, max_clicks, 3), -1.0)
            self.count = torch.zeros(users, dtype=torch.long)
            self.box = torch.zeros(users, 4)
            self.extent = torch.full((users,), side)
            self.zoomed = torch.zeros(users, dtype=torch.bool)
            self.smallest = torch.zeros(users)
            self.waiting = torch.zeros(users, dtype=torch.bool)
        self._jobs = BackgroundJobs()

    def open(self) -> None:
        """Give every user a canvas; a pool that takes over a state needs none."""
        self._move_on(torch.arange(len(self.count), device=self.device))

    def batch(self, users: int, size: int) -> ClickBatch:
        """Look over the shoulders of some users, chosen at random.

        Between two batches there has to be an answer to the first.

        Parameters
        ----------
        users : int
            Number of users, B.
        size : int
            Side S of the network's input in pixels.
        """
        chosen = self._choose(users)
        shown = (self.image[chosen], self.probability[chosen], 255 * self.mask[chosen])
        layers = torch.stack(shown, dim=1).float() / 255
        grid = zoom.view_grid(self.box[chosen], self.side, size)
        view = functional.grid_sample(layers, grid, align_corners=True)
        remembered = (self._rand(users) > 0.08)[:, None, None, None]
        points = points_in_view(
            self.clicks[chosen], self.count[chosen], self.box[chosen], size
        )
        return ClickBatch(
            image=tinted(view[:, :1], self.generator),
            prev_mask=view[:, 1:2] * remembered,
            points=points,
            mask=view[:, 2:] > 0.5,
            users=chosen,
        )

    def answer(self, batch: ClickBatch, probability: Tensor) -> Tensor:
        """Show the users of a batch the answer; they click again or move on.

        Parameters
        ----------
        batch : ClickBatch
            As given by `batch`.
        probability : Tensor
            (B, 1, S, S), float in [0, 1].

        Returns
        -------
        Tensor
            (B, 2), float: number of clicks, and IoU of the answer on the canvas.
        """
        self._jobs.finish()
        users = batch.users
        grid = zoom.canvas_grid(self.box[users], self.side)
        canvas = functional.grid_sample(probability, grid, align_corners=True)[:, 0]
        if self.obey or self.steady:
            canvas = corrected_answers(
                canvas,
                self.probability[users],
                self.box[users],
                self.clicks[users],
                self.count[users],
                obey=self.obey,
                steady=self.steady,
            )
        self.probability[users] = (canvas * 255).round().to(torch.uint8)
        predicted, masks = canvas > THRESHOLD, self.mask[users]
        overlap = (predicted & masks).sum(dim=(1, 2))
        union = (predicted | masks).sum(dim=(1, 2))
        report = torch.stack([self.count[users], overlap / union], dim=1)
        self._click_on(users, predicted)
        return report.cpu()

    def state_dict(self) -> dict[str, Any]:
        """Return all that `load_state_dict` needs, as tensors and numbers."""
        self._jobs.finish()
        state = {name: getattr(self, name) for name in STATE}
        return state | {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the state of another pool, but not its source of canvases.

        What a state of an earlier version lacks stays as it is.
        """
        self._jobs.finish()
        self.generator.set_state(state["generator"])
        for name in STATE:
            value = state.get(name, getattr(self, name))
            kept = value.to(self.device) if isinstance(value, Tensor) else value
            setattr(self, name, kept)

    def _click_on(self, users: Tensor, predicted: Tensor) -> None:
        clicks, exactly = self._next_clicks(users, predicted)
        done = clicks[:, 0] < 0
        done |= self._rand(len(users)) < self.stop_probability
        done |= self.count[users] >= self.clicks.shape[1]
        looking = ~done & self._looks_again(users)
        clicking = ~done & ~looking
        going = users[clicking]
        self.clicks[going, self.count[going]] = clicks[clicking]
        self.count[going] += 1
        flooding = looking & self._is_first_look(users) & self.flood
        exactly &= clicking
        now = ~(done | flooding | exactly)
        self._zoom(users[now], predicted[now], self._margins(users[now]))
        self._flood_later(users[flooding], predicted[flooding])
        self._click_later(users[exactly], predicted[exactly])
        self._move_on(users[done])

    def _looks_again(self, users: Tensor) -> Tensor:
        """Choose who zooms in without a new click, most often at a first answer."""
        share = torch.where(self._is_first_look(users), 1.0, 0.2)
        return self._rand(len(users)) < self.second_looks * share

    def _is_first_look(self, users: Tensor) -> Tensor:
        return (self.count[users] == 1) & ~self.zoomed[users]

    def _flood_later(self, users: Tensor, predicted: Tensor) -> None:
        """Mix floodings into first answers of users, who zoom in on what results."""
        margin = torch.ones((len(users), 2), device=self.device)
        clicks, extent = self.clicks[users], self.extent[users]
        boxes = zoom.boxes_around(
            predicted, clicks, self.smallest[users], margin, extent
        )
        answers, images = self.probability[users], self.image[users]
        given = (answers, images, clicks[:, 0], boxes, extent)
        self._later(users, flooded_answers, given, self._see)

    def _see(self, users: Tensor, answers: Tensor, margins: Tensor) -> None:
        self.probability[users] = answers
        self._zoom(users, answers > 255 * THRESHOLD, margins)

    def _click_later(self, users: Tensor, predicted: Tensor) -> None:
        """Let the newest clicks of users be where the robot user would click."""
        given = (
            self.mask[users],
            predicted,
            self.clicks[users],
            self.count[users] - 1,
            self.extent[users],
        )
        self._later(users, robot_user_clicks, given, self._click_there)

    def _click_there(self, users: Tensor, clicks: Tensor, margins: Tensor) -> None:
        self.clicks[users, self.count[users] - 1] = clicks
        going_on = self.count[users] > 1
        users, margins = users[going_on], margins[going_on]
        self._zoom(users, self.probability[users] > 255 * THRESHOLD, margins)

    def _later(
        self,
        users: Tensor,
        work: Callable[..., Tensor],
        given: Sequence[Tensor],
        finish: Callable[..., None],
    ) -> None:
        """Let users sit out a batch; `finish` gets them, a result, and margins."""
        if len(users):
            finish = partial(finish, margins=self._margins(users))
            self._jobs.start(users, work, given, finish)
            self.waiting[users] = True

    def _choose(self, users: int) -> Tensor:
        """Choose users at random; those that wait only where there are not enough."""
        order = torch.randperm(
            len(self.count), generator=self.generator, device=self.device
        )
        waiting = self.waiting[order]
        chosen = torch.cat([order[~waiting], order[waiting]])[:users]
        if self.waiting[chosen].any():
            self._jobs.finish()
        self.waiting[:] = False
        return chosen

    def _move_on(self, users: Tensor) -> None:
        """Give users new canvases, and let each click a first time."""
        for user in users.tolist():
            self._seat(user, next(self.canvases))
        self.count[users] = 0
        nothing = torch.zeros_like(self.mask[users])
        self.clicks[users, 0], exactly = self._next_clicks(users, nothing)
        self.count[users] = 1
        self._click_later(users[exactly], nothing[exactly])

    def _seat(self, user: int, canvas: tuple[Tensor, Tensor]) -> None:
        image, mask = (part.to(self.device) for part in canvas)
        zoom_in = 0.12 ** (1.1 * self._rand(1))[0]
        if self.small_images and self._rand(1)[0] < self.small_images:
            image, mask = made_small(image, mask, self.generator)
        extent = len(image)
        is_small = extent < self.side
        self.image[user], self.mask[user] = 0, False
        self.image[user, :extent, :extent] = image
        self.mask[user, :extent, :extent] = mask
        self.drawn += 1
        self.probability[user] = 0
        self.clicks[user] = -1
        self.box[user, :2], self.box[user, 2:] = 0, extent
        self.extent[user] = extent
        self.zoomed[user] = False
        self.smallest[user] = SMALLEST_CROP if is_small else self.side * zoom_in

    def _next_clicks(self, users: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor]:
        """Click on errors.

        Returns
        -------
        clicks : Tensor
            (B, 3).
        exactly : Tensor
            (B,), bool: whose click only stands for the one of the evaluation, which
            takes longer to find: most of those with few pixels.
        """
        clicks = next_clicks(self.mask[users], predicted, self.generator)
        exactly = torch.zeros_like(users, dtype=torch.bool)
        if self.small_images:
            exactly = self._rand(len(users)) >= RANDOM_CLICKS
            exactly &= (self.extent[users] < self.side) & (clicks[:, 0] >= 0)
        return clicks, exactly

    def _margins(self, users: Tensor) -> Tensor:
        """Draw factors for the boxes of users; those of jobs are drawn at the start."""
        return 0.95 + 0.15 * self._rand(2 * len(users)).reshape(-1, 2)

    def _zoom(self, users: Tensor, predicted: Tensor, margins: Tensor) -> None:
        """Move the boxes of users who have just clicked, as zoom-in does."""
        box, clicks = self.box[users], self.clicks[users]
        wanted = zoom.boxes_around(
            predicted, clicks, self.smallest[users], margins, self.extent[users]
        )
        newest = clicks[
            torch.arange(len(users), device=self.device), self.count[users] - 1
        ]
        moves = ~self.zoomed[users] | zoom.is_stale(box, wanted, newest)
        moves &= predicted.any(dim=2).any(dim=1)
        self.box[users] = torch.where(moves[:, None], wanted, box)
        self.zoomed[users] |= moves

    def _rand(self, count: int) -> Tensor:
        return torch.rand(count, generator=self.generator, device=self.device)
