import numpy as np
import pytest

from napari_simpleclick.inference.intensity import display_range, to_display


def ramp(dtype) -> np.ndarray:
    return np.arange(100).reshape(10, 10).astype(dtype)


@pytest.mark.parametrize(
    "dtype",
    "u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8 >u2 >i4 >f4".split(),
)
def test_limits_map_linearly_in_every_type(dtype):
    shown = to_display(ramp(dtype), (20, 70))

    assert shown.dtype == np.uint8
    assert shown.flat[[0, 20, 30, 45, 70, 99]].tolist() == [0, 0, 51, 128, 255, 255]


def test_the_image_stays_untouched():
    image = ramp("f4")
    image[0, 0] = np.nan
    before = image.copy()

    to_display(image)

    np.testing.assert_array_equal(image, before)


def test_not_a_number_is_black_and_infinities_saturate():
    image = np.array([[np.nan, np.inf, -np.inf, 5.0]], np.float32)

    assert to_display(image, (0, 10)).tolist() == [[0, 255, 0, 128]]


def test_limits_come_from_finite_values_only():
    image = ramp("f4")
    image[0, :3] = np.nan, np.inf, -np.inf

    low, high = display_range(image, percentiles=(0, 100))

    assert (low, high) == (3, 99)


@pytest.mark.parametrize("value", [0, 7, -3])
def test_a_constant_slice_is_black(value):
    assert not to_display(np.full((4, 5), value, np.int16)).any()


def test_a_slice_without_finite_values_is_black():
    assert display_range(np.full((2, 2), np.nan)) == (0, 1)
    assert not to_display(np.full((2, 2), np.nan)).any()


def test_a_window_without_width_is_a_threshold():
    assert to_display(np.array([[4.0, 5.0, 6.0]]), (5, 5)).tolist() == [[0, 0, 255]]


def test_few_bright_pixels_do_not_stretch_the_range():
    image = np.tile(np.arange(100.0), (100, 1))
    image[0, :5] = 1e6

    low, high = display_range(image)

    assert 0 <= low <= 1
    assert 98 <= high <= 99


def test_sparse_bright_pixels_on_a_flat_background_still_show():
    image = np.zeros((100, 100), np.uint16)
    image[3, 4] = 900

    assert display_range(image) == (0, 900)
    assert to_display(image)[3, 4] == 255


def test_bool_is_black_and_white():
    assert to_display(np.array([[False, True]])).tolist() == [[0, 255]]
    assert to_display(np.ones((1, 2), bool)).tolist() == [[255, 255]]


def test_large_integers_keep_small_differences():
    base = 2**40
    image = np.array([[base, base + 1, base + 2]], np.uint64)

    assert to_display(image, (base, base + 2)).tolist() == [[0, 128, 255]]


def test_full_range_of_64_bit_integers_does_not_overflow():
    limits = np.iinfo(np.int64)
    image = np.array([[limits.min, 0, limits.max]], np.int64)

    assert to_display(image).tolist() == [[0, 128, 255]]


def test_values_beyond_float32_give_usable_limits():
    image = np.array([[-1.5e308, 0, 1.5e308]])

    assert to_display(image).tolist() == [[0, 128, 255]]


def test_gamma_bends_the_grey_levels():
    # 0.5 ** 2 * 255 = 63.75
    assert to_display(np.array([[0, 5, 10]]), (0, 10), gamma=2).tolist() == [
        [0, 64, 255]
    ]


def test_colour_drops_alpha_and_ignores_limits():
    pixel = np.array([[[10, 20, 30, 0]]], np.uint8)

    shown = to_display(pixel, (0, 20))

    assert shown.tolist() == [[[10, 20, 30]]]
    assert not np.shares_memory(shown, pixel)


def test_colour_in_16_bits_and_floats():
    wide = np.array([[[0, 32768, 65535]]], np.uint16)
    real = np.array([[[-0.5, 0.5, np.nan]]], np.float32)

    assert to_display(wide).tolist() == [[[0, 128, 255]]]
    assert to_display(real).tolist() == [[[0, 128, 0]]]


def test_single_pixel_and_single_row():
    assert to_display(np.array([[3]], np.uint8)).shape == (1, 1)
    assert to_display(np.arange(9).reshape(1, 9)).shape == (1, 9)


def test_blocks_join_without_seams():
    image = np.add.outer(np.arange(3000), np.zeros(700, int)).astype(np.uint16)

    shown = to_display(image, (0, 2999))

    expected = np.rint(np.arange(3000) / 2999 * 255)
    np.testing.assert_array_equal(shown[:, 0], expected)
    np.testing.assert_array_equal(shown[:, -1], expected)


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u2", ">u2", ">i2"])
@pytest.mark.parametrize("gamma", [1, 0.7])
def test_a_large_slice_shows_what_its_rows_show(dtype, gamma):
    image = np.random.default_rng(0).integers(0, 1 << 16, (300, 250)).astype(dtype)
    large = to_display(image, (-20, 100), gamma=gamma)
    rows = [to_display(row[None], (-20, 100), gamma=gamma) for row in image]
    np.testing.assert_array_equal(large, np.concatenate(rows))
    assert len(np.unique(large)) > 20


def test_strided_views_are_read_as_they_are():
    volume = np.arange(60).reshape(3, 4, 5)

    shown = to_display(volume[::-1, :, 2], (0, 59))

    np.testing.assert_array_equal(shown, to_display(volume[::-1, :, 2].copy(), (0, 59)))


def test_sampling_a_large_volume_is_repeatable_and_close():
    volume = np.random.default_rng(0).normal(size=(20, 300, 300))

    low, high = display_range(volume, max_samples=20_000)

    assert display_range(volume, max_samples=20_000) == (low, high)
    assert abs(low - np.percentile(volume, 0.5)) < 0.15
    assert abs(high - np.percentile(volume, 99.5)) < 0.15


@pytest.mark.parametrize("dtype", [complex, "datetime64[s]", "U3", object])
def test_other_types_are_named(dtype):
    with pytest.raises(TypeError, match="expected bool, integer or floating point"):
        to_display(np.zeros((2, 2), dtype))


@pytest.mark.parametrize(
    ("image", "arguments", "message"),
    [
        (np.zeros((0, 4)), {}, r"shape \(0, 4\); expected at least one pixel"),
        (np.zeros((2, 3, 5)), {}, r"shape \(2, 3, 5\); expected \(H, W\)"),
        (np.zeros((2, 2)), {"limits": (3, 1)}, r"limits are \(3, 1\)"),
        (np.zeros((2, 2)), {"limits": (0, np.inf)}, "expected finite low <= high"),
        (np.zeros((2, 2)), {"gamma": 0}, "gamma is 0; expected"),
    ],
)
def test_wrong_values_are_named(image, arguments, message):
    with pytest.raises(ValueError, match=message):
        to_display(image, **arguments)
