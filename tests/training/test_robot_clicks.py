import torch

from napari_simpleclick.training.robot_clicks import depth_in_cells, next_clicks


def empty() -> torch.Tensor:
    return torch.zeros(1, 30, 30, dtype=torch.bool)


def click(masks: torch.Tensor, predicted: torch.Tensor, seed: int = 0) -> list[float]:
    generator = torch.Generator().manual_seed(seed)
    return next_clicks(masks, predicted, generator)[0].tolist()


def test_the_first_click_is_mostly_the_middle_of_the_object() -> None:
    mask = empty()
    mask[0, 3:24, 6:27] = True  # 7 by 7 cells, middle cell at rows 12-14, cols 15-17
    clicks = [click(mask, empty(), seed) for seed in range(200)]
    assert all(mask[0, int(row), int(col)] for row, col, _ in clicks)
    assert all(sign == 1 for *_, sign in clicks)
    assert 120 < sum(place == [13, 16, 1] for place in clicks) < 190


def test_the_larger_error_decides_the_sign() -> None:
    mask, predicted = empty(), empty()
    mask[0, 0:9, 0:9] = True
    predicted[0, 12:30, 12:30] = True
    row, col, sign = click(mask, predicted)
    assert sign == 0
    assert row >= 12
    assert col >= 12


def test_the_border_of_the_canvas_counts_as_an_edge() -> None:
    errors = torch.zeros(1, 2, 15, 15, dtype=torch.bool)
    errors[0, 0] = True
    depth = depth_in_cells(errors)[0, 0]
    rings = [[1, 1, 1, 1, 1], [1, 2, 2, 2, 1], [1, 2, 3, 2, 1]]
    assert depth.tolist() == [*rings, rings[1], rings[0]]


def test_errors_thinner_than_a_cell_are_clicked_too() -> None:
    mask = empty()
    mask[0, 7, 11] = True
    assert click(mask, empty()) == [7, 11, 1]


def test_no_error_no_click() -> None:
    mask = empty()
    mask[0, 5:9, 5:9] = True
    assert click(mask, mask.clone()) == [-1, -1, -1]


def test_an_empty_batch_is_fine() -> None:
    nothing = torch.zeros(0, 30, 30, dtype=torch.bool)
    assert next_clicks(nothing, nothing, torch.Generator()).shape == (0, 3)
