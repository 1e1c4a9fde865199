import numpy as np
from scipy import ndimage

from napari_simpleclick.training.walls import packing, wall_and_lumen, walls


def test_a_lumen_lies_within_its_own_wall() -> None:
    own = []
    for seed in range(6):
        labels = walls(np.random.default_rng(seed), 128)
        assert labels.dtype == np.int32
        for lumen in np.unique(labels[(labels > 0) & (labels % 2 == 0)]):
            around = ndimage.binary_dilation(labels == lumen) & (labels != lumen)
            own.append(np.mean(labels[around] == lumen - 1))
    assert len(own) > 50
    assert np.mean(own) > 0.95


def test_cells_of_a_packing_are_round_and_of_many_sizes() -> None:
    fills, spread = [], []
    for seed in range(6):
        tissue = packing(np.random.default_rng(seed), 160)
        inner = set(np.unique(tissue[1:-1, 1:-1]))
        edge = set(
            np.concatenate([tissue[[0, -1]].ravel(), tissue[:, [0, -1]].ravel()])
        )
        boxes = ndimage.find_objects(tissue)
        whole = [boxes[n - 1] for n in inner - edge - {0}]
        fills += [np.count_nonzero(tissue[box]) / tissue[box].size for box in whole]
        areas = np.bincount(tissue.ravel())[1:]
        spread.append(areas.max() / max(np.median(areas), 1))
    assert np.median(fills) > np.pi / 4 - 0.1
    assert max(spread) > 3


def test_one_cell_by_hand() -> None:
    tissue = np.zeros((41, 41), np.int32)
    rows, cols = np.mgrid[:41, :41] - 20
    tissue[np.hypot(rows, cols) < 18] = 1
    labels = wall_and_lumen(np.random.default_rng(0), tissue)
    assert set(np.unique(labels)) == {0, 1, 2}
    assert labels[20, 20] == 2
    assert (labels[tissue == 0] == 0).all()
    np.testing.assert_array_equal(ndimage.binary_fill_holes(labels == 1), labels > 0)


def test_same_seed_same_walls() -> None:
    first, again = (walls(np.random.default_rng(3), 96) for _ in range(2))
    np.testing.assert_array_equal(first, again)
