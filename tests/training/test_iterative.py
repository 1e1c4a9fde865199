from collections.abc import Iterator
from itertools import repeat

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_simpleclick.training.click_source import ClickBatch
from napari_simpleclick.training.iterative import IterativeClicks, inner_error_clicks


def canvases(side: int = 64) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    while True:
        mask = torch.zeros(side, side, dtype=torch.bool)
        mask[side // 4 : side // 2, side // 4 : 3 * side // 4] = True
        yield 200 * mask.to(torch.uint8), mask


class Answers:
    """A network that always answers the same; it keeps what it was asked."""

    def __init__(self, value: float) -> None:
        self.value = value
        self.batches: list[ClickBatch] = []

    def __call__(self, batch: ClickBatch) -> torch.Tensor:
        self.batches.append(batch)
        return torch.full_like(batch.prev_mask, self.value)


def test_without_rounds_clicks_are_random_and_there_is_no_previous_mask() -> None:
    answers = Answers(0.0)
    source = IterativeClicks(canvases(), answers, rounds=0)
    batch = source.batch(5, 32)
    assert not answers.batches
    assert batch.image.shape == (5, 3, 32, 32)
    assert batch.points.shape == (5, 48, 3)
    assert not batch.prev_mask.any()
    assert batch.mask[0, 0, 8:16, 8:24].all()
    assert int(batch.mask[0].sum()) == 8 * 16
    assert float(batch.image.max()) == pytest.approx(200 / 255)
    assert source.drawn == 5


def test_zero_to_three_rounds_each_add_a_correction() -> None:
    answers = Answers(0.0)
    source = IterativeClicks(canvases(), answers, max_points=24, rounds=3)
    rounds = []
    for _ in range(40):
        answers.batches.clear()
        batch = source.batch(2, 64)
        rounds.append(len(answers.batches))
        # Nothing was found, so each round adds a positive click, from the last place.
        added = batch.points[:, 24 - rounds[-1] : 24]
        rows, cols = added[..., 0].long(), added[..., 1].long()
        assert (added[..., 2] >= 0).all()
        assert batch.mask[0, 0][rows, cols].all()
        assert sorted(added[0, :, 2].tolist()) == list(range(1, rounds[-1] + 1))
    assert set(rounds) == {0, 1, 2, 3}


def test_an_answer_is_the_next_previous_mask_and_surplus_is_clicked_away() -> None:
    answers = Answers(0.75)
    source = IterativeClicks(canvases(), answers, max_points=4, rounds=1, seed=1)
    while not answers.batches:
        batch = source.batch(2, 64)
    assert (batch.prev_mask == 0.75).all()
    row, col, order = batch.points[0, 7].tolist()
    assert order == 1
    assert not batch.mask[0, 0, int(row), int(col)]


def test_corrections_lie_in_the_inner_half_of_the_deeper_error() -> None:
    masks = torch.zeros(50, 90, 90, dtype=torch.bool)
    masks[:, 10:70, 10:70] = True
    predicted = torch.zeros_like(masks)
    predicted[:, 80:88, 80:88] = True
    clicks = inner_error_clicks(masks, predicted, torch.Generator().manual_seed(0))
    assert (clicks[:, 2] == 1).all()
    depth = ndimage.distance_transform_cdt(masks[0].numpy(), "chessboard")
    rows, cols = clicks[:, :2].long().numpy().T
    assert depth[rows, cols].min() >= 30 / 2 - 4  # cells are coarse
    assert len(np.unique(rows)) > 10


def test_a_perfect_answer_is_not_corrected() -> None:
    masks = torch.zeros(2, 30, 30, dtype=torch.bool)
    masks[:, 5:20, 5:20] = True
    clicks = inner_error_clicks(masks, masks, torch.Generator())
    assert (clicks == -1).all()


def test_the_report_counts_clicks_and_overlap() -> None:
    source = IterativeClicks(canvases(), Answers(0.0), rounds=0)
    batch = source.batch(3, 32)
    half = batch.mask.float()
    half[..., 16:] = 0
    report = source.answer(batch, half)
    expected = (batch.points[..., 2] >= 0).sum(dim=1)
    assert torch.equal(report[:, 0], expected.float())
    assert report[:, 1].tolist() == pytest.approx([0.5] * 3)


def test_a_thin_object_is_there_at_a_small_input() -> None:
    image, mask = next(canvases())
    mask = torch.zeros_like(mask)
    mask[9, 4:12] = 1
    source = IterativeClicks(repeat((image, mask)), Answers(0.0), rounds=0)
    batch = source.batch(1, image.shape[-1] // 4)
    assert 1 <= int(batch.mask.sum()) <= 3
    assert torch.isfinite(source.answer(batch, torch.zeros_like(batch.prev_mask))).all()


def test_a_restored_source_clicks_the_same() -> None:
    first = IterativeClicks(canvases(), Answers(0.0), seed=3)
    first.batch(2, 32)
    second = IterativeClicks(canvases(), Answers(0.0), seed=4)
    second.load_state_dict(first.state_dict())
    assert second.drawn == 2
    assert torch.equal(first.batch(2, 32).points, second.batch(2, 32).points)
