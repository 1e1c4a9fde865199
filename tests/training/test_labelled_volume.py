import numpy as np
import pytest
from numpy.typing import NDArray

from napari_simpleclick.training.labelled_volume import to_uint8


def test_ct_is_shown_in_its_window() -> None:
    units = np.array([-1000, -200, 50, 300, 2000], np.int16)
    assert to_uint8(units).tolist() == [0, 0, 128, 255, 255]


def ct(padding: int | None = None, gas: float = 0.3) -> NDArray[np.int16]:
    """Return air, lung, fat and muscle with noise, in Hounsfield units."""
    rng = np.random.default_rng(0)
    means = rng.choice(
        (-1000, -800, -100, 50), (60, 80), p=(gas / 2, gas / 2, 0.3, 0.7 - gas)
    )
    units = (means + rng.normal(0, 20, means.shape)).astype(np.int16)
    if padding is not None:
        units[:, :9] = padding
    return units


@pytest.mark.parametrize("padding", [None, -1024, -2000, -2048, -3024])
@pytest.mark.parametrize("gas", [0.3, 0.01])
def test_ct_is_known_with_its_padding_and_with_little_gas(
    padding: int | None, gas: float
) -> None:
    units = ct(padding, gas)
    expected = ((units.astype(float) + 200) / 500).clip(0, 1) * 255
    assert np.abs(to_uint8(units) - expected).max() <= 0.5


SEEDED = np.random.default_rng(0)
NO_CT = {
    "phase": SEEDED.integers(-4096, 4096, (60, 80)).astype(np.int16),
    "phase of fewer bits": SEEDED.integers(-1024, 1024, (60, 80)).astype(np.int16),
    "signed micrograph": SEEDED.normal(-20000, 3000, (60, 80)).astype(np.int16),
    "signed about zero": SEEDED.normal(0, 6000, (60, 80)).astype(np.int16),
    "filtered": SEEDED.normal(0, 300, (60, 80)).astype(np.float32),
    "filtered, with edges": SEEDED.laplace(0, 200, (60, 80)).astype(np.float32),
    "moved down": SEEDED.uniform(-700, 300, (60, 80)).astype(np.float32),
    "few levels": SEEDED.normal(-20000, 5, (60, 80)).astype(np.int16),
}


@pytest.mark.parametrize("name", NO_CT)
def test_other_images_below_zero_are_stretched(name: str) -> None:
    image = NO_CT[name]
    low, high = np.percentile(image, (0.5, 99.5))
    expected = ((image.astype(float) - low) / (high - low)).clip(0, 1) * 255
    assert np.abs(to_uint8(image) - expected).max() <= 0.51


def test_what_is_marked_by_minus_1000_does_not_make_it_ct() -> None:
    image = SEEDED.uniform(0, 1, (60, 80)).astype(np.float32)
    image[0, :10] = -1000
    assert np.unique(to_uint8(image)[1:]).size > 200


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rows", [1, 3, 60])
def test_values_that_are_not_finite_leave_the_others_alone(
    value: float, rows: int
) -> None:
    image = SEEDED.uniform(0, 1000, (60, 80)).astype(np.float32)
    image[:rows] = value
    scaled = to_uint8(image)
    assert set(np.unique(scaled[:rows])) == {255 if value == np.inf else 0}
    if rows < 60:
        low, high = np.percentile(image[rows:], (0.5, 99.5))
        expected = ((image[rows:] - low) / (high - low)).clip(0, 1) * 255
        assert np.abs(scaled[rows:] - expected).max() <= 0.51


def test_other_images_are_stretched_between_percentiles() -> None:
    image = np.arange(1001, dtype=np.float32)
    scaled = to_uint8(image)
    assert scaled[[0, 5, 500, 995, 1000]].tolist() == [0, 0, 128, 255, 255]


def test_eight_bit_images_are_left_alone() -> None:
    image = np.array([3, 200], np.uint8)
    assert to_uint8(image) is image
