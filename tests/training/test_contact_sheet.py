from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.io import imread

from napari_simpleclick.cli import main
from napari_simpleclick.training.contact_sheet import GAP, OUTLINE, contact_sheet


def test_tiles_lie_in_rows_with_outlines() -> None:
    image = torch.full((20, 20), 77, dtype=torch.uint8)
    mask = torch.zeros(20, 20, dtype=torch.bool)
    mask[5:15, 5:15] = True
    sheet = contact_sheet([(image, mask)] * 5, 5)
    assert sheet.shape == (2 * (20 + GAP), 4 * (20 + GAP), 3)
    assert tuple(sheet[5, 5]) == OUTLINE
    assert tuple(sheet[10, 10]) == (77, 77, 77)
    assert (sheet == OUTLINE).all(axis=2).sum() == 5 * 36
    assert not sheet[22:, 22:].any()


def test_no_tile_is_an_error() -> None:
    with pytest.raises(ValueError, match="count: 0, expected at least 1"):
        contact_sheet([], 0)


def test_the_command_draws_the_same_made_up_slices_for_a_seed(tmp_path: Path) -> None:
    sheets = []
    for name in ("one.png", "two.png"):
        arguments = ["--count", "3", "--size", "64", "--seed", "7"]
        assert (
            main(["contact-sheet", "--output", str(tmp_path / name), *arguments]) == 0
        )
        sheets.append(imread(tmp_path / name))
    np.testing.assert_array_equal(*sheets)
    assert sheets[0].shape == (66, 3 * 66, 3)
    assert (sheets[0] == OUTLINE).all(axis=2).any()
