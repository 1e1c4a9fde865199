import numpy as np
from scipy import ndimage

from napari_simpleclick.training.vessels import vessels


def test_trees_branch_and_thin_out() -> None:
    branched = thinned = 0
    for seed in range(10):
        labels = vessels(np.random.default_rng(seed), 128)
        assert labels.shape == (128, 128)
        assert labels.dtype == np.int32
        tree = labels == labels.max()
        depth = ndimage.distance_transform_edt(tree)
        thinned += depth.max() > 2.5 and bool((tree & (depth <= 1)).any())
        core = ndimage.binary_opening(tree, iterations=2)
        _, pieces = ndimage.label(tree & ~core)
        branched += pieces > 3
    assert thinned >= 5
    assert branched >= 5


def test_same_seed_same_trees() -> None:
    first, again = (vessels(np.random.default_rng(3), 96) for _ in range(2))
    np.testing.assert_array_equal(first, again)
