import numpy as np
from scipy import ndimage

from napari_simpleclick.training.labelled_volume import LabelledVolume
from napari_simpleclick.training.regions import stable_regions
from napari_simpleclick.training.slices import RegionSlices

ROWS, COLS = np.mgrid[:96, :128]
DISK = np.hypot(ROWS - 40, COLS - 60) < 13


def scene(mask: np.ndarray, contrast: float = 0.6) -> np.ndarray:
    """An object a little out of focus, in noise."""
    noise = np.random.default_rng(0).normal(0, 0.02, mask.shape)
    blurred = ndimage.gaussian_filter(np.where(mask, 0.8 - contrast, 0.8), 1.0)
    return (blurred + noise).astype(np.float32)


def regions_of(image: np.ndarray, seeds: range) -> list[np.ndarray]:
    """Masks of all regions that any of the seeds finds."""
    found = []
    for seed in seeds:
        labels = stable_regions(np.random.default_rng(seed), image)
        assert labels.shape == image.shape
        assert labels.dtype == np.int32
        found += [labels == value for value in np.unique(labels[labels > 0])]
    return found


def test_what_stands_out_is_found_up_to_its_edge() -> None:
    image = scene(DISK)
    for shown in (image, 1 - image):  # dark, then bright
        found = regions_of(shown, range(20))
        assert len(found) >= 4
        ious = [(mask & DISK).sum() / (mask | DISK).sum() for mask in found]
        assert min(ious) > 0.8


def test_a_slope_has_no_edge() -> None:
    slope = np.hypot(ROWS - 40, COLS - 60).astype(np.float32) / 120
    assert not regions_of(slope, range(40))


def test_what_the_image_cuts_off_is_no_object() -> None:
    cut = np.hypot(ROWS - 40, COLS) < 25
    assert not regions_of(scene(cut), range(40))


def test_regions_replace_the_labels_of_a_volume() -> None:
    image = np.rint(scene(DISK) * 255).astype(np.uint8)
    other = np.zeros_like(image)
    other[80:, 100:] = 1
    source = RegionSlices([LabelledVolume("one", image[None], other[None])])
    for seed in range(5):
        shown, labels = source.draw(np.random.default_rng(seed))
        again, same = source.draw(np.random.default_rng(seed))
        np.testing.assert_array_equal(shown, again)
        np.testing.assert_array_equal(labels, same)
        np.testing.assert_allclose(shown, image / 255, atol=1e-6)
        assert set(np.unique(labels[DISK & (labels > 0)])) - {0}
        assert not labels[80:, 100:].any()
