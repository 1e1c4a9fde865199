import pytest
import torch
from torch.nn import functional

from napari_simpleclick.training import zoom


def mask_of(low: tuple[int, int], high: tuple[int, int], side: int) -> torch.Tensor:
    mask = torch.zeros(1, side, side, dtype=torch.bool)
    mask[0, low[0] : high[0], low[1] : high[1]] = True
    return mask


def around(
    mask: torch.Tensor, clicks: list[list[float]], smallest: float, extent: int = 100
) -> list:
    boxes = zoom.boxes_around(
        mask,
        torch.tensor([clicks]),
        torch.tensor([smallest]),
        torch.ones(1, 2),
        torch.tensor([extent]),
    )
    return boxes[0].tolist()


def test_a_box_is_expanded_about_its_centre() -> None:
    # 20 by 10 pixels, times 1.4: 28 by 14.
    mask = mask_of((40, 60), (60, 70), 100)
    assert around(mask, [[50.0, 65.0, 1.0]], 4) == [36, 58, 64, 72]


def test_positive_clicks_stretch_the_box_negative_and_missing_do_not() -> None:
    mask = mask_of((40, 40), (60, 60), 100)
    clicks = [[69.0, 50.0, 1.0], [5.0, 5.0, 0.0], [-1.0, -1.0, -1.0]]
    # Rows 40 to 70: centre 55, side 42.
    assert around(mask, clicks, 4) == [34, 36, 76, 64]


def test_a_box_has_a_smallest_side_and_stays_in_the_canvas() -> None:
    mask = mask_of((0, 48), (4, 52), 100)
    assert around(mask, [[2.0, 50.0, 1.0]], 30) == [0, 35, 17, 65]
    assert around(mask, [[2.0, 50.0, 1.0]], 30, extent=60) == [0, 35, 17, 60]


def test_bounds_of_full_and_empty_masks() -> None:
    masks = torch.cat([mask_of((2, 3), (5, 9), 10), torch.zeros(1, 10, 10).bool()])
    low, high = zoom.bounds(masks)
    assert low.tolist() == [[2, 3], [10, 10]]
    assert high.tolist() == [[5, 9], [0, 0]]


def test_box_iou_by_hand() -> None:
    first = torch.tensor([[0.0, 0, 10, 10], [0, 0, 4, 4]])
    second = torch.tensor([[5.0, 0, 15, 10], [6, 6, 8, 8]])
    assert zoom.box_iou(first, second).tolist() == pytest.approx([50 / 150, 0])


def test_a_box_is_stale_when_left_or_too_different() -> None:
    box = torch.tensor([[0.0, 0, 10, 10]]).repeat(4, 1)
    wanted = torch.tensor(
        [[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 4, 10], box[0].tolist()]
    )
    clicks = torch.tensor([[5.0, 5, 1], [5, 12, 1], [5, 5, 1], [5, 12, 0]])
    assert zoom.is_stale(box, wanted, clicks).tolist() == [False, True, True, False]


def test_view_and_canvas_are_inverse_for_whole_pixels() -> None:
    canvas = torch.rand(2, 1, 12, 12, dtype=torch.float64)
    box = torch.tensor([[2.0, 4, 8, 10], [0, 0, 6, 6]], dtype=torch.float64)
    view = functional.grid_sample(
        canvas, zoom.view_grid(box, 12, 6), align_corners=True
    )
    torch.testing.assert_close(view[0], canvas[0, :, 2:8, 4:10], atol=1e-5, rtol=0)
    back = functional.grid_sample(view, zoom.canvas_grid(box, 12), align_corners=True)
    torch.testing.assert_close(
        back[1, :, :6, :6], canvas[1, :, :6, :6], atol=1e-5, rtol=0
    )
    assert (back[1, :, 7:] == 0).all()
