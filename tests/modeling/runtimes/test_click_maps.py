import numpy as np
import torch

from napari_simpleclick.modeling.click_encoding import encode_clicks
from napari_simpleclick.modeling.runtimes.click_maps import draw_click_maps


def test_disks_are_those_of_the_network() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-12, 60, (5, 14, 3)).astype(np.float32)
    points[2, 3:7] = -1
    points[3] = -1
    points[4, ::2] = np.round(points[4, ::2])
    points[0, 0] = (-3, 20, 0)  # outside, but its disk reaches in
    points[0, 1] = (50.5, 2.25, 1)
    prev_mask = rng.random((5, 1, 48, 40), dtype=np.float32)
    for radius in (1, 5):
        maps = draw_click_maps(prev_mask, points, radius)
        disks = encode_clicks(torch.from_numpy(points), (48, 40), radius)
        np.testing.assert_array_equal(maps[:, :1], prev_mask)
        np.testing.assert_array_equal(maps[:, 1:], disks.numpy())
    assert maps[0, 1].any()
    assert not maps[3, 1:].any()


def test_no_points_are_no_disks() -> None:
    maps = draw_click_maps(
        np.ones((1, 1, 8, 8), np.float32), np.empty((1, 0, 3), np.float32), 5
    )
    assert maps[0, 0].all()
    assert not maps[0, 1:].any()
