"""A batch of answers gets what `inference.corrections` gives to each of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_simpleclick.inference.corrections import corrected
from napari_simpleclick.training.click_source import THRESHOLD
from napari_simpleclick.training.corrected_answers import corrected_answers
from napari_simpleclick.types import Click, Prediction, Roi

SIDE = 448
USERS = 24


def blobs(rng: np.random.Generator, shift: float, fineness: float) -> np.ndarray:
    noise = ndimage.gaussian_filter(rng.standard_normal((SIDE, SIDE)), fineness)
    return 1 / (1 + np.exp(-3 * (noise / noise.std() + shift)))


@pytest.mark.parametrize(
    ("obey", "steady"), [(True, True), (True, False), (False, True)]
)
def test_as_one_by_one(obey: bool, steady: bool) -> None:
    rng = np.random.default_rng(3)
    answers = np.zeros((USERS, SIDE, SIDE), np.float32)
    before = np.zeros((USERS, SIDE, SIDE), np.uint8)
    boxes = np.zeros((USERS, 4), np.float32)
    clicks = np.full((USERS, 9, 3), -1, np.float32)
    counts = rng.integers(1, 10, USERS)
    for user in range(USERS):
        top, left = rng.integers(0, 180, 2)
        bottom, right = rng.integers(240, SIDE + 1, 2)
        boxes[user] = top, left, bottom, right
        now = blobs(rng, -0.5, 16)
        # half of the masks differ little from the ones before
        was = (
            now + rng.normal() * 0.1 * blobs(rng, 0, 10)
            if user % 2
            else blobs(rng, 0, 25)
        )
        answers[user, top:bottom, left:right] = now[top:bottom, left:right]
        before[user] = np.rint(255 * was.clip(0, 1))
        made = rng.integers(0, SIDE, (counts[user], 2))
        clicks[user, : counts[user], :2] = made
        clicks[user, : counts[user], 2] = before[user][made[:, 0], made[:, 1]] < 120
    result = corrected_answers(
        *map(torch.from_numpy, (answers.copy(), before, boxes, clicks, counts)),
        obey=obey,
        steady=steady,
    )
    changed = 0
    for user, (top, left, bottom, right) in enumerate(boxes.astype(int).tolist()):
        roi = Roi(top, bottom - 1, left, right - 1)
        expected = corrected(
            Prediction(answers[user].copy(), roi),
            [Click(r, c, s > 0) for r, c, s in clicks[user, : counts[user]].tolist()],
            Prediction(before[user].astype(np.float32) / 255, roi)
            if counts[user] > 1
            else None,
            obey=obey,
            steady=steady,
            threshold=THRESHOLD,
        ).probability
        np.testing.assert_allclose(result[user], expected, atol=2e-4)
        changed += not np.array_equal(expected, answers[user])
    assert changed > USERS / 4
