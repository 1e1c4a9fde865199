"""Volumes are segmented slice by slice from known clicks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_simpleclick.inference.plane import Plane
from napari_simpleclick.inference.predictor import Predictor
from napari_simpleclick.inference.session import PlacedClick, Target
from napari_simpleclick.inference.volume import put_object, segment_volume
from napari_simpleclick.types import Click


def bright(
    image: NDArray[np.float32],
    prev_mask: NDArray[np.float32],
    points: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Take all that is bright; a negative click takes nothing."""
    has_negative = (points[:, points.shape[1] // 2 :, 0] >= 0).any()
    return (image.mean(1, keepdims=True) - 0.5 - 2 * has_negative) * 20


PREDICTOR = Predictor(bright, input_size=8)


def click(plane: Plane, object_id: int = 1, *, positive: bool = True) -> PlacedClick:
    return PlacedClick(Click(1, 1, positive), Target(object_id, plane))


def cross() -> np.ndarray:
    volume = np.zeros((4, 5, 6), np.uint8)
    volume[2, 1:4, 1:5] = 200
    volume[:, 2, 3] = 200
    return volume


def test_only_clicked_slices_change_along_any_axis() -> None:
    volume = cross()
    axial, coronal = Plane((2, None, None)), Plane((None, 2, None))
    labels = segment_volume(
        volume, [click(axial), click(coronal, 2)], PREDICTOR, limits=(0, 255)
    )
    expected = np.zeros_like(volume)
    expected[2][volume[2] > 0] = 1
    expected[:, 2][(volume[:, 2] > 0) & (expected[:, 2] == 0)] = 2
    np.testing.assert_array_equal(labels, expected)


def test_later_clicks_correct_and_progress_is_told() -> None:
    plane, told = Plane((2, None, None)), []
    labels = segment_volume(
        cross(),
        [click(plane), click(plane, positive=False)],
        PREDICTOR,
        limits=(0, 255),
        progress=told.append,
    )
    assert labels.sum() == 0
    assert told == [1, 2]


def test_a_slice_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="slice 4,:,: is not in a volume"):
        segment_volume(cross(), [click(Plane((4, None, None)))], PREDICTOR)


@pytest.mark.parametrize("label", [-1, 0, 65536])
def test_labels_that_a_volume_cannot_hold_are_refused(label: int) -> None:
    with pytest.raises(ValueError, match=f"object {label}, expected 1 to 65535"):
        segment_volume(cross(), [click(Plane((2, None, None)), label)], PREDICTOR)


def test_put_object_spares_the_others() -> None:
    labels = np.array([[1, 2, 0, 1]], np.uint8)
    assert put_object(labels, 1, np.array([[False, True, True, True]]))
    assert labels.tolist() == [[0, 2, 1, 1]]
    assert not put_object(labels, 1, np.array([[False, True, True, True]]))
    with pytest.raises(ValueError, match="object 300 does not fit"):
        put_object(labels, 300, labels == 0)
