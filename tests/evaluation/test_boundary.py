import math

import numpy as np
import pytest

from napari_simpleclick.evaluation.boundary import boundary_iou, surface_distance


def box(rows, cols, shape=(30, 40)):
    mask = np.zeros(shape, dtype=bool)
    mask[rows, cols] = True
    return mask


def test_boundary_iou_by_hand():
    # A diagonal of 50 gives rims of 1 pixel: 36 of 10 x 10, 2 * 10 + 2 * 7 of 10 x 9.
    square = box(slice(5, 15), slice(5, 15))
    narrow = box(slice(5, 15), slice(5, 14))
    shared = 10 + 9 + 9 - 2
    assert boundary_iou(square, narrow) == pytest.approx(shared / (36 + 34 - shared))
    assert boundary_iou(square, square) == 1


def test_rims_widen_with_the_image():
    shape = (300, 400)  # rims of 10 pixels
    large = box(slice(50, 150), slice(50, 150), shape)
    hollow = large & ~box(slice(60, 140), slice(60, 140), shape)
    assert boundary_iou(large, hollow) == 1
    assert boundary_iou(large, large & ~box(slice(59, 141), slice(59, 141), shape)) < 1


def test_the_edge_of_the_image_is_an_outline():
    full = np.ones((30, 40), dtype=bool)
    assert boundary_iou(full, full & ~box(slice(1, 29), slice(1, 39))) == 1


def test_surface_distance_in_millimetres():
    one, other = box(slice(5, 6), slice(3, 9)), box(slice(8, 9), slice(3, 9))
    assert surface_distance(one, other, (0.5, 7)) == 1.5
    assert surface_distance(one, one, (1, 1)) == 0
    long = box(slice(5, 6), slice(3, 12))  # 3 of 15 outline pixels lie 1, 2, 3 away
    assert surface_distance(one, long, (1, 2)) == pytest.approx(2 * 6 / 15)


def test_empty_masks():
    empty, some = np.zeros((5, 5), dtype=bool), np.ones((5, 5), dtype=bool)
    assert boundary_iou(empty, empty) == 1
    assert boundary_iou(empty, some) == 0
    assert surface_distance(empty, empty, (1, 1)) == 0
    assert surface_distance(empty, some, (1, 1)) == math.inf


def test_surface_distance_of_volumes_by_hand():
    shape = (9, 12, 12)
    one, other = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    one[2, 3:6, 3:8] = other[5, 3:6, 3:8] = True
    assert surface_distance(one, other, (2.5, 0.5, 7)) == 7.5
    thick = one.copy()
    thick[3] = one[2]  # 15 of 45 surface voxels have none of the other's beside them
    assert surface_distance(one, thick, (2.5, 0.5, 7)) == pytest.approx(2.5 / 3)


def test_the_inside_of_a_volume_is_no_surface():
    shape = (9, 12, 12)
    full, hollow = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    full[2:7, 3:8, 3:8] = hollow[2:7, 3:8, 3:8] = True
    hollow[4, 5, 5] = False  # of its 18 neighbours 8 lie 1 away, 12 across an edge
    inner = np.argwhere(hollow)
    inner = inner[((inner - (4, 5, 5)) ** 2).sum(1) <= 2]
    assert len(inner) == 18
    away = (12 + 6) / (2 * (125 - 27) + 18)  # all of them lie 1 below the surface
    assert surface_distance(full, hollow, (1, 1, 1)) == pytest.approx(away)


def test_the_edge_of_the_volume_is_a_surface():
    full = np.ones((5, 6, 7), dtype=bool)
    shell = full.copy()
    shell[1:-1, 1:-1, 1:-1] = False
    assert surface_distance(full, shell, (1, 1, 1)) == 0
