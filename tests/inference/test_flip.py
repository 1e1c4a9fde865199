import numpy as np

from napari_simpleclick.inference.flip import add_flipped, merge_flipped
from napari_simpleclick.inference.transforms import CropInputs


def test_flip_mirrors_crops_and_points_but_not_padding():
    image = np.arange(24, dtype=np.float32).reshape(1, 3, 2, 4)
    points = np.array([[[1, 0.5, 0], [-1, -1, -1]]], dtype=np.float32)
    flipped = add_flipped(CropInputs(image, image[:, :1], points))
    np.testing.assert_array_equal(flipped.image[0], image[0])
    assert flipped.image[1, 0, 0].tolist() == [3, 2, 1, 0]
    assert flipped.prev_mask[1, 0, 1].tolist() == [7, 6, 5, 4]
    assert flipped.points[1].tolist() == [[1, 2.5, 0], [-1, -1, -1]]


def test_merging_flipped_maps_averages_partners():
    maps = np.random.default_rng(0).random((2, 1, 5, 6), dtype=np.float32)
    batch = CropInputs(np.repeat(maps, 3, axis=1), maps, np.ones((2, 2, 3), np.float32))
    flipped = add_flipped(batch).prev_mask
    np.testing.assert_array_equal(merge_flipped(flipped), maps)
    flipped[2:] += 1
    merged = merge_flipped(flipped)
    assert merged.dtype == np.float32
    np.testing.assert_allclose(merged, maps + 0.5, rtol=1e-6)
