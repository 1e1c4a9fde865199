import numpy as np
import pytest

from napari_simpleclick.training import artefacts

KINDS = ("fold", "scratches", "stripes", "dirt", "saturation", "ghost", "seams")


@pytest.mark.parametrize("kind", KINDS)
def test_every_artefact_changes_the_image_and_leaves_it_usable(kind: str) -> None:
    rows, cols = np.mgrid[:96, :96] / 96
    image = (0.4 + 0.3 * np.sin(9 * rows) * np.cos(7 * cols)).astype(np.float32)
    kept = image.copy()
    changed = []
    for seed in range(8):
        spoilt = getattr(artefacts, kind)(np.random.default_rng(seed), image)
        assert spoilt.shape == image.shape
        assert np.isfinite(spoilt).all()
        changed.append(np.abs(spoilt - image).mean())
        assert np.corrcoef(spoilt.ravel(), image.ravel())[0, 1] > 0.3
    np.testing.assert_array_equal(image, kept)
    assert np.median(changed) > 1e-3


def test_saturation_cuts_off_quantiles() -> None:
    image = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    shown = artefacts.saturation(np.random.default_rng(0), image)
    assert (shown <= 0).mean() + (shown >= 1).mean() > 0.01


def test_one_artefact_is_chosen_by_the_seed() -> None:
    image = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    first, again = (
        artefacts.add_artefact(np.random.default_rng(4), image) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.float32
