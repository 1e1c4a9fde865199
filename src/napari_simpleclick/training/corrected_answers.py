"""corrected_answers: a batch of answers, as their users get to see them.

What `inference.corrections` does to one answer in NumPy is done here to many at once,
on the device where they are.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from napari_simpleclick.inference import reach as reaching
from napari_simpleclick.inference import steadiness
from napari_simpleclick.inference.corrections import FARTHEST, NEAR, OBEYED
from napari_simpleclick.inference.obedience import CONFIDENCE
from napari_simpleclick.training.click_source import THRESHOLD

_GROWTHS = 8
"""Dilations between two looks at whether anything still grows."""


def corrected_answers(
    answers: Tensor,
    before: Tensor,
    boxes: Tensor,
    clicks: Tensor,
    counts: Tensor,
    *,
    obey: bool,
    steady: bool,
) -> Tensor:
    """Do to answers what is done to them in use, see `inference.corrections`.

    Parameters
    ----------
    answers : Tensor
        (B, C, C), float32 in [0, 1]: probability on the users' canvases.
    before : Tensor
        (B, C, C), uint8: 255 times the probability before the last clicks.
    boxes : Tensor
        (B, 4): what the network saw, (row, column, row, column), in pixels of a canvas,
        first corner inclusive, second exclusive.
    clicks : Tensor
        (B, n, 3): row, column, and 1 for a positive click.
    counts : Tensor
        (B,): how many of them were made, at least 1.
    obey, steady : bool
        As for `corrected`.

    Returns
    -------
    Tensor
        (B, C, C), float32, on the device of the answers.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    old = before.float() / 255
    newest = clicks[torch.arange(len(clicks), device=clicks.device), counts - 1]
    places = (newest[:, :2] + 0.5).floor()
    later = counts > 1
    if obey:
        reach = _reach(old, places, newest[:, 2] > 0, sides) * later
        answers = _surroundings_spoken_for(answers, places, newest[:, 2] > 0, reach)
        answers = _obedient(answers, clicks, counts, sides)
    if steady and later.any():
        kept = answers.clone()
        kept[later] = _settled(
            answers[later], old[later], places[later], counts[later], sides[later]
        )
        return kept
    return answers


def _offsets(like: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of pixels, from places on: (B, C, 1) and (B, 1, C)."""
    line = torch.arange(like.shape[-1], device=like.device)
    return (line - places[:, :1])[:, :, None], (line - places[:, 1:])[:, None, :]


def _reach(old: Tensor, places: Tensor, positive: Tensor, sides: Tensor) -> Tensor:
    """See `inference.reach.reach_of`: (B,), in pixels."""
    rows, cols = _offsets(old, places)
    has_class = (old > THRESHOLD) == positive[:, None, None]
    away = torch.hypot(rows, cols).where(has_class, torch.inf)
    return torch.minimum(away.amin(dim=(1, 2)), (sides * FARTHEST).amax(dim=1))


def _surroundings_spoken_for(
    answers: Tensor, places: Tensor, positive: Tensor, reach: Tensor
) -> Tensor:
    """See `inference.reach.speak_for_surroundings`."""
    rows, cols = _offsets(answers, places)
    reach = reach[:, None, None]
    away = torch.hypot(rows, cols)
    sign = torch.where(positive, reaching.EVIDENCE, -reaching.EVIDENCE)[:, None, None]
    moved = (answers.logit(reaching.SMALLEST) + sign * (1 - away / reach)).sigmoid()
    return moved.where(away < reach, answers)


def _obedient(answers: Tensor, clicks: Tensor, counts: Tensor, sides: Tensor) -> Tensor:
    """See `inference.obedience.obey_clicks`."""
    radius = (sides * OBEYED).floor()
    most = int(radius.max())
    shifts = torch.arange(-most, most + 1, device=answers.device)
    down, across = (shifts / (half[:, None] + 0.5) for half in radius.unbind(dim=1))
    disk = down[:, :, None] ** 2 + across[:, None, :] ** 2 <= 1
    side = answers.shape[-1]
    result = functional.pad(answers, (most,) * 4)
    users = torch.arange(len(answers), device=answers.device)[:, None, None]
    for number in range(int(counts.max())):
        row, col, sign = (clicks[:, number] + 0.5).floor().long().unbind(dim=1)
        rows = (row[:, None] + shifts)[:, :, None] + most
        cols = (col[:, None] + shifts)[:, None, :] + most
        made = (number < counts)[:, None, None] & disk
        # Of a user with fewer clicks, the pixels around (-1, -1) stay as they are.
        rows, cols = (line.clamp(0, side - 1 + 2 * most) for line in (rows, cols))
        seen = result[users, rows, cols]
        wanted = torch.where(
            sign[:, None, None] > 0,
            seen.clamp(min=CONFIDENCE),
            seen.clamp(max=1 - CONFIDENCE),
        )
        result[users, rows, cols] = wanted.where(made, seen)
    return result[:, most : most + side, most : most + side]


def _settled(
    new: Tensor, old: Tensor, places: Tensor, counts: Tensor, sides: Tensor
) -> Tensor:
    """See `inference.steadiness.settled`; all have more than one click."""
    was, now = old > THRESHOLD, new > THRESHOLD
    changed = was ^ now
    most = (1 - steadiness.AGREEMENT) * (was | now).sum(dim=(1, 2))
    nearly_found = changed.sum(dim=(1, 2)) <= most
    kept = new.clone()
    some = nearly_found.nonzero()[:, 0]
    if len(some):
        rows, cols = _offsets(new, places[some])
        reach = (sides[some] * NEAR).floor() + 1
        near = (rows.abs() <= reach[:, :1, None]) & (cols.abs() <= reach[:, 1:, None])
        far = changed[some] & ~_connected(changed[some] & near, changed[some])
        kept[some] = torch.where(far, old[some], new[some])
    some = (~nearly_found & (counts >= steadiness.LATE)).nonzero()[:, 0]
    if len(some):
        rows, cols = _offsets(new, places[some])
        down, across = (sides[some] * FARTHEST)[:, :, None, None].unbind(dim=1)
        share = (1.5 - torch.hypot(rows / down, cols / across) / 2).clamp(0.5, 1)
        after, before = (odds[some].logit(steadiness.SMALLEST) for odds in (new, old))
        odds = share * after + (1 - share) * before
        kept[some] = torch.where(changed[some], odds.sigmoid(), new[some])
    return kept


def _connected(seeds: Tensor, within: Tensor) -> Tensor:
    """Grow seeds along rows and columns to all that is connected: (B, C, C), bool."""
    size = torch.tensor(-1)
    while seeds.sum() != size:
        size = seeds.sum()
        for _ in range(_GROWTHS):
            grown = seeds.clone()
            grown[:, 1:] |= seeds[:, :-1]
            grown[:, :-1] |= seeds[:, 1:]
            grown[:, :, 1:] |= seeds[:, :, :-1]
            grown[:, :, :-1] |= seeds[:, :, 1:]
            seeds = grown & within
    return seeds
