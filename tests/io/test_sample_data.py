import nibabel as nib
import numpy as np

from napari_simpleclick.io.sample_data import brain_mri, draw_em_phantom, em_phantom
from napari_simpleclick.io.volume import SOURCE_KEY


def test_brain_is_the_first_volume_of_the_example():
    [(data, arguments, kind)] = brain_mri()

    assert kind == "image"
    assert data.shape == (24, 96, 128)
    assert data.dtype == np.int16
    np.testing.assert_allclose(arguments["scale"], (2.2, 2, 2), rtol=1e-6)
    assert arguments["units"] == ("mm", "mm", "mm")
    grid = arguments["metadata"][SOURCE_KEY]
    source = nib.load(grid.path)
    assert source.shape == (128, 96, 24, 2)
    np.testing.assert_array_equal(
        grid.to_stored(data), np.asarray(source.dataobj)[..., 0]
    )


def test_phantom_is_the_same_at_every_call():
    first, second = (em_phantom() for _ in range(2))

    for (a, arguments, kind), (b, _, _) in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
        assert arguments["scale"] == (50, 5, 5)
        assert arguments["units"] == ("nm", "nm", "nm")
        assert kind in ("image", "labels")


def test_phantom_shows_its_ground_truth():
    image, mitochondria = draw_em_phantom(np.random.default_rng(3), (8, 200, 220))

    assert image.shape == mitochondria.shape == (8, 200, 220)
    assert image.dtype == mitochondria.dtype == np.uint8
    assert len(np.unique(mitochondria)) > 5
    assert image[mitochondria > 0].mean() < image[mitochondria == 0].mean() - 20
    assert image.std() > 20
