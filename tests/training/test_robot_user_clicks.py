"""Clicks of a batch are those of the robot user, one by one."""

from __future__ import annotations

import torch

from napari_simpleclick.evaluation.robot_user import next_click
from napari_simpleclick.training.robot_user_clicks import robot_user_clicks
from napari_simpleclick.types import Click


def test_as_the_robot_user_of_the_evaluation() -> None:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand((2, 9, 1, 8, 8), generator=generator) > 0.5
    masks, predicted = coarse[:, :, 0].repeat_interleave(6, 2).repeat_interleave(6, 3)
    extents = torch.tensor([48, 30, 40] * 3)
    for one, two, extent in zip(masks, predicted, extents, strict=True):
        for layer in (one, two):
            layer[extent:], layer[:, extent:] = False, False
    clicks = torch.full((9, 4, 3), -1.0)
    counts = torch.arange(9) % 4
    for user, count in enumerate(counts.tolist()):
        clicks[user, :count] = torch.tensor([3.0 + user, 5.0, 1.0])
    found = robot_user_clicks(masks, predicted, clicks, counts, extents)
    for user, (row, col, sign) in enumerate(found.tolist()):
        made = [Click(r, c, s > 0) for r, c, s in clicks[user, : counts[user]].tolist()]
        expected = next_click(masks[user].numpy(), predicted[user].numpy(), made)
        assert Click(row, col, sign > 0) == expected
