import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_simpleclick.inference.crops import crop_image, crop_prediction, fill_box
from napari_simpleclick.inference.transforms import whole
from napari_simpleclick.types import Prediction, Roi


@pytest.mark.parametrize("roi", [Roi(0, 69, 0, 89), Roi(20, 24, 30, 80)])
@pytest.mark.parametrize("size", [48, 224])
def test_crop_is_bilinear_between_corner_centres(roi, size):
    image = np.random.default_rng(0).random((70, 90, 3), dtype=np.float32)
    tensor = torch.from_numpy(image[roi.slices]).permute(2, 0, 1)[None]
    expected = F.interpolate(tensor, (size, size), mode="bilinear", align_corners=True)
    crop = crop_image(image, roi, size)
    np.testing.assert_allclose(crop, expected[0].permute(1, 2, 0), atol=1e-5)
    np.testing.assert_array_equal(crop_image(image[..., 1], roi, size), crop[..., 1])


def test_crop_of_single_pixels():
    image = np.array([[0, 100, 200]], dtype=np.uint8)
    expected = np.tile(np.linspace(0, 200, 5, dtype=np.float32), (5, 1))
    np.testing.assert_allclose(crop_image(image, whole((1, 3)), 5), expected)
    assert crop_image(image, whole((1, 3)), 1) == 0


def test_paste_undoes_crop():
    rows, cols = np.mgrid[:300, :400].astype(np.float32)
    plane, roi = rows / 300 + cols / 800, Roi(50, 149, 120, 279)
    crop = crop_image(plane, roi, 448)
    pasted = Prediction(fill_box(crop, roi), box=roi, shape=plane.shape).probability
    np.testing.assert_allclose(pasted[roi.slices], plane[roi.slices], atol=1e-5)
    pasted[roi.slices] = 0
    assert not pasted.any()


@pytest.mark.parametrize("part", [Roi(50, 149, 150, 200), Roi(149, 149, 279, 279)])
def test_a_part_of_a_box_is_filled_like_the_whole(part):
    crop = np.random.default_rng(0).random((33, 33), dtype=np.float32)
    roi = Roi(50, 149, 120, 279)
    filled = Prediction(fill_box(crop, roi), box=roi, shape=(300, 400))
    np.testing.assert_array_equal(fill_box(crop, roi, part), filled.within(part))


@pytest.mark.parametrize(
    "roi",
    [
        Roi(110, 149, 120, 279),  # inside the box that is held
        Roi(20, 180, 100, 200),  # over its edge
        Roi(0, 299, 0, 399),
        Roi(0, 90, 0, 399),  # beside it
    ],
)
def test_a_part_of_a_map_is_cropped_like_the_whole(roi):
    held = Roi(100, 199, 110, 289)
    inside = np.random.default_rng(0).random(held.shape, dtype=np.float32)
    part = Prediction(inside, box=held, shape=(300, 400))
    expected = crop_image(part.probability, roi, 61)
    np.testing.assert_array_equal(crop_prediction(part, roi, 61), expected)
