from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import io

from napari_simpleclick.inference.predictor import Predictor
from napari_simpleclick.training.validation import held_out, score, validate


def write_data_set(folder: Path, low: int) -> None:
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    mask = np.zeros((32, 32), np.uint8)
    mask[low : low + 8, 8:24] = 1
    mask[24:28, 2:6] = 2
    io.imsave(
        folder / "images" / "a.png", np.uint8(100) * (mask == 1), check_contrast=False
    )
    io.imsave(folder / "masks" / "a.png", mask, check_contrast=False)


def bright(image: NDArray[np.float32], *_: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(image[:, :1] > 0.2, np.float32(10), np.float32(-10))


def test_every_data_set_gets_a_curve(tmp_path: Path) -> None:
    write_data_set(tmp_path / "one", 4)
    write_data_set(tmp_path / "two", 12)
    curves = validate(Predictor(bright, input_size=32), held_out(tmp_path, 1), 2)
    assert list(curves) == ["one", "two"]
    for curve in curves.values():
        assert curve.shape == (2,)
        assert curve[0] > 0.95


def test_objects_are_spread_over_the_data_set(tmp_path: Path) -> None:
    write_data_set(tmp_path / "one", 4)
    curves = validate(Predictor(bright, input_size=32), held_out(tmp_path, 9), 1)
    # Both objects: the bright one is found, the dark one is not.
    np.testing.assert_allclose(curves["one"], [0.5], atol=0.02)


def test_the_score_is_the_mean_of_four_points_of_the_mean_curve() -> None:
    curves = {"a": np.arange(1, 11) / 10, "b": np.zeros(10)}
    assert score(curves) == pytest.approx((0.1 + 0.3 + 0.5 + 1.0) / 4 / 2)


def test_a_folder_without_data_sets_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".ipynb_checkpoints").mkdir()
    with pytest.raises(ValueError, match="images/"):
        held_out(tmp_path, 3)


def test_a_data_set_without_an_object_is_refused_at_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_data_set(tmp_path / name, 4)
    io.imsave(
        tmp_path / "two" / "masks" / "a.png",
        np.zeros((32, 32), np.uint8),
        check_contrast=False,
    )
    with pytest.raises(ValueError, match=r"two has masks without any object"):
        held_out(tmp_path, 3)
