import numpy as np

from napari_simpleclick.training.labelled_volume import to_uint8


def test_ct_is_shown_in_its_window() -> None:
    units = np.array([-1000, -200, 50, 300, 2000], np.int16)
    assert to_uint8(units).tolist() == [0, 0, 128, 255, 255]


def test_other_images_are_stretched_between_percentiles() -> None:
    image = np.arange(1001, dtype=np.float32)
    scaled = to_uint8(image)
    assert scaled[[0, 5, 500, 995, 1000]].tolist() == [0, 0, 128, 255, 255]


def test_eight_bit_images_are_left_alone() -> None:
    image = np.array([3, 200], np.uint8)
    assert to_uint8(image) is image
