import numpy as np
import pytest

from napari_simpleclick.training.canvas import (
    choose_object,
    draw_canvas,
    sampling_grid,
)
from napari_simpleclick.training.distortion import distort_intensity


def two_squares() -> np.ndarray:
    labels = np.zeros((60, 80), np.uint8)
    labels[10:20, 10:20] = 1
    labels[10:20, 40:50] = 1
    labels[40:42, 70:72] = 2
    return labels


def test_the_object_is_a_label_or_a_piece_of_it_never_a_crumb() -> None:
    labels = two_squares()
    areas = set()
    for seed in range(60):
        mask = choose_object(np.random.default_rng(seed), labels)
        assert mask is not None
        assert (labels[mask] == 1).all()
        areas.add(int(mask.sum()))
    assert areas == {100, 200}


def test_nothing_to_choose() -> None:
    assert choose_object(np.random.default_rng(0), np.zeros((9, 9), int)) is None
    assert choose_object(np.random.default_rng(0), np.eye(4, dtype=int)) is None


def test_a_label_in_many_pieces_is_never_one_object() -> None:
    labels = np.zeros((64, 64), int)
    for row, column in np.ndindex(6, 3):
        labels[10 * row : 10 * row + 6, 10 * column : 10 * column + 6] = 1
    for seed in range(40):
        mask = choose_object(np.random.default_rng(seed), labels)
        assert mask is not None
        assert mask.sum() == 36


def test_neighbours_are_joined_now_and_then() -> None:
    labels = np.zeros((40, 40), int)
    labels[10:20, 10:20], labels[10:20, 21:31] = 1, 2
    areas = [
        choose_object(np.random.default_rng(seed), labels).sum() for seed in range(200)
    ]
    joined = sum(area > 200 for area in areas)
    assert 2 <= joined <= 30
    assert joined + areas.count(100) == 200


def test_the_object_lies_in_the_canvas_and_image_and_mask_move_together() -> None:
    labels = two_squares()
    image = (labels == 1).astype(np.float32)
    agreements = []
    for seed in range(30):
        canvas = draw_canvas(np.random.default_rng(seed), image, labels, 96)
        assert canvas is not None
        assert canvas.image.shape == canvas.mask.shape == (96, 96)
        assert canvas.image.dtype == np.uint8
        inside = canvas.image[canvas.mask].astype(float)
        outside = canvas.image[~canvas.mask].astype(float)
        agreements.append(abs(inside.mean() - outside.mean()))
    assert np.median(agreements) > 60


def test_half_of_the_grids_show_the_whole_slice() -> None:
    mask = np.zeros((100, 100), bool)
    mask[45:55, 45:55] = True
    reach = [
        sampling_grid(np.random.default_rng(seed), mask, 16).abs().max().item()
        for seed in range(200)
    ]
    assert 0.4 < np.mean(np.array(reach) > 0.85) < 0.75


@pytest.mark.parametrize("seed", range(20))
def test_distorted_images_stay_in_range(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.random((48, 48), dtype=np.float32) * 1.4 - 0.2
    distorted = distort_intensity(rng, image)
    assert distorted.dtype == np.float32
    assert distorted.shape == image.shape
    assert distorted.min() >= 0
    assert distorted.max() <= 1
