import numpy as np
import pytest

from napari_simpleclick.training.coco_masks import decode_counts, decode_mask


def encoded(runs: list[int]) -> str:
    """COCO's string for runs, written down from the description of the format."""
    text = ""
    for index, run in enumerate(runs):
        value = run - (runs[index - 2] if index > 2 else 0)
        more = True
        while more:
            group, value = value & 31, value >> 5
            more = value != (-1 if group & 16 else 0)
            text += chr(48 + (group | (32 if more else 0)))
    return text


def test_strings_that_coco_wrote() -> None:
    """By pycocotools 2.0.11: rows 1 and 2, columns 1 to 3; an ellipse with a hole."""
    assert decode_counts("5220003") == [5, 2, 2, 2, 2, 2, 5]
    text = "_5;k04L4M2O0O2OBC1<0D1;OE1;OE1<<101N101N3L4Lk:"
    mask = decode_mask({"counts": text, "size": [40, 30]}, (40, 30))
    rows, cols = np.mgrid[:40, :30]
    expected = (rows - 20) ** 2 / 150 + (cols - 12) ** 2 / 80 < 1
    expected[18:22, 10:14] = False
    assert np.array_equal(mask, expected)


@pytest.mark.parametrize(
    "runs", [[0, 12], [3, 1, 2, 6], [5, 2, 2, 2, 2, 2, 5], [1000, 40, 7, 100_000, 3, 1]]
)
def test_strings_give_the_runs_back(runs: list[int]) -> None:
    assert decode_counts(encoded(runs)) == runs
    assert decode_counts(encoded(runs).encode()) == runs


def test_runs_go_down_the_columns() -> None:
    mask = decode_mask({"counts": [1, 2, 4, 1, 1], "size": [3, 3]}, (3, 3))
    assert mask.tolist() == [
        [False, False, False],
        [True, False, True],
        [True, False, False],
    ]
    again = decode_mask({"counts": encoded([1, 2, 4, 1, 1]), "size": [3, 3]}, (3, 3))
    assert np.array_equal(again, mask)


def test_polygons_hold_the_pixels_whose_centres_they_hold() -> None:
    square = [2.0, 1.0, 5.0, 1.0, 5.0, 3.0, 2.0, 3.0]  # x, y: columns 2-4, rows 1-2
    triangle = [0, 6, 4, 6, 0, 10]
    mask = decode_mask([square, triangle], (10, 8))
    expected = np.zeros((10, 8), bool)
    expected[1:3, 2:5] = True
    for row in range(4):
        expected[6 + row, : 4 - row] = True
    on_the_edge = np.zeros_like(expected)
    for row in range(4):
        on_the_edge[6 + row, 3 - row] = True
    assert np.array_equal(mask | on_the_edge, expected)


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ({"counts": [1, 2], "size": [3, 3]}, "runs of 3 pixels, expected 9"),
        ({"counts": [10, -1], "size": [3, 3]}, "runs of 9 pixels"),
        ({"counts": [1, 8], "size": [4, 3]}, r"size \[4, 3\], expected \[3, 3\]"),
        ({"counts": "o", "size": [3, 3]}, "in the midst of a number"),
        ([[1, 2, 3, 4]], "at least three corners"),
        ("1 2 3", "expected a list of polygons"),
    ],
)
def test_other_forms_are_refused(segmentation: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_mask(segmentation, (3, 3))
