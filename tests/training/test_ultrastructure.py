import numpy as np
from scipy import ndimage

from napari_simpleclick.training.ultrastructure import capsule, ultrastructure_slice


def test_mitochondria_lie_whole_in_one_cell_and_stand_out() -> None:
    seen = 0
    for seed in range(8):
        image, labels = ultrastructure_slice(np.random.default_rng(seed))
        assert image.shape == labels.shape
        assert image.dtype == np.float32
        areas = np.bincount(labels.ravel())
        for label in np.flatnonzero(areas)[-3:]:
            mask = labels == label
            _, pieces = ndimage.label(mask)
            seen += pieces == 1
    assert seen >= 16


def test_the_same_seed_gives_the_same_micrograph() -> None:
    first, again, other = (
        ultrastructure_slice(np.random.default_rng(seed)) for seed in (2, 2, 3)
    )
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0].shape != other[0].shape or (first[0] != other[0]).any()


def test_a_capsule_is_about_as_wide_and_long_as_asked() -> None:
    widths = []
    for seed in range(20):
        _, shape = capsule(np.random.default_rng(seed), 400, radius=10, length=60)
        widths.append(ndimage.distance_transform_edt(np.pad(shape, 1)).max())
    assert 8 < np.median(widths) < 14
