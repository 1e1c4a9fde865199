"""Objects are chosen evenly, and each is the sample that the Segment tab would see."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.components import Dims
from napari.layers import Image, Labels

from napari_simpleclick.inference.plane import Plane
from napari_simpleclick.plugin.evaluation_objects import (
    AUTO_SLICES,
    AnnotatedImage,
    EvaluationSettings,
    SliceObject,
    find_objects,
    samples,
    spread,
)
from napari_simpleclick.plugin.evaluation_source import annotated_image
from napari_simpleclick.plugin.image_layer import displayed_plane, raw_slice

SHAPE = (40, 30, 20)


def truth() -> np.ndarray:
    """Label 1: 5 x 6 pixels on slices 8..31; label 7: 2 x 2 on slice 10."""
    labels = np.zeros(SHAPE, np.int32)
    labels[8:32, 4:9, 3:9] = 1
    labels[10, 20:22, 10:12] = 7
    return labels


def taken(
    image: Image, labels: np.ndarray | None = None, axis: int | None = None
) -> AnnotatedImage:
    data = truth() if labels is None else labels
    return annotated_image(image, Labels(data), Dims(ndim=image.ndim), axis)


def found(annotated: AnnotatedImage, **settings: Any) -> list[SliceObject]:
    return find_objects(annotated, EvaluationSettings(**settings), lambda: None)


def test_automatic_slices_are_spread_over_those_with_objects() -> None:
    objects = found(taken(Image(np.zeros(SHAPE))))
    slices = [each.plane.position[0] for each in objects]
    assert len(slices) == AUTO_SLICES
    assert (slices[0], slices[-1]) == (8, 31)
    assert set(np.diff(slices)) <= {1, 2}
    assert {each.label for each in objects} == {1}


def test_automatic_slices_hold_objects_that_are_large_enough() -> None:
    labels = truth()
    labels[:, 0, 0] = 9
    objects = found(taken(Image(np.zeros(SHAPE)), labels))
    assert len({each.plane for each in objects}) == AUTO_SLICES
    assert {each.label for each in objects} == {1}


def test_every_nth_slice_and_the_smallest_area() -> None:
    annotated = taken(Image(np.zeros(SHAPE)))
    objects = found(annotated, every=5, min_area=4)
    expected = [(10, 1), (10, 7), (15, 1), (20, 1), (25, 1), (30, 1)]
    assert [(o.plane.position[0], o.label) for o in objects] == expected
    assert len(found(annotated, every=5, min_area=5)) == 5
    assert len(found(annotated, every=5, min_area=4, max_objects=2)) == 2


def test_no_object_is_explained() -> None:
    annotated = taken(Image(np.zeros(SHAPE)), np.zeros(SHAPE, np.uint8))
    with pytest.raises(ValueError, match=r"no object of at least 20 pixels\. "):
        found(annotated)
    with pytest.raises(ValueError, match="on one slice in 7"):
        found(annotated, every=7)


def test_looking_for_objects_can_be_stopped() -> None:
    class Stop(Exception):
        pass

    looked = []

    def check() -> None:
        looked.append(1)
        if len(looked) == 3:
            raise Stop

    with pytest.raises(Stop):
        find_objects(taken(Image(np.zeros(SHAPE))), EvaluationSettings(), check)


def test_an_object_that_is_erased_meanwhile_is_no_object() -> None:
    annotated, looked = taken(Image(np.zeros(SHAPE)), truth()), []

    def check() -> None:
        looked.append(1)
        if len(looked) == 7:  # after slices 0, 5, 10, 15, 20 and 25
            annotated.labels[10] = 0

    objects = find_objects(annotated, EvaluationSettings(every=5), check)
    assert [each.plane.position[0] for each in objects] == [15, 20, 25, 30]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [0]), (2, [0, 9]), (4, [0, 3, 6, 9]), (10, list(range(10)))],
)
def test_spread_is_even_from_end_to_end(count: int, expected: list[int]) -> None:
    assert spread(range(10), count) == expected
    assert spread([], count) == []


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_samples_are_what_the_segment_tab_sees(axis: int | None) -> None:
    data = np.random.default_rng(0).normal(1000, 200, SHAPE)
    image = Image(data, contrast_limits=(700, 1500), gamma=0.7, name="scan")
    annotated = taken(image, axis=axis)
    objects = found(annotated, min_area=1, every=4)
    for each, sample in zip(objects, samples(annotated, objects), strict=True):
        expected = raw_slice(image, each.plane).read()
        np.testing.assert_array_equal(sample.image, expected)
        np.testing.assert_array_equal(
            sample.mask, truth()[each.plane.index] == each.label
        )
        assert each.plane.position[axis or 0] == int(sample.name.split("/")[1])


def test_as_displayed_follows_the_order_of_the_viewer() -> None:
    image, dims = Image(np.zeros(SHAPE)), Dims(ndim=4)
    dims.order = (0, 2, 3, 1)  # of the world; its first axis is not the image's
    annotated = annotated_image(image, Labels(truth()), dims, None)
    assert {plane.axes for plane in annotated.planes} == {(0, 2)}
    assert len(annotated.planes) == SHAPE[1]
    assert displayed_plane(image, dims) in annotated.planes


def test_axes_that_are_not_the_images_are_explained() -> None:
    dims = Dims(ndim=4)
    dims.order = (1, 2, 0, 3)
    with pytest.raises(ValueError, match="axes that are on display"):
        annotated_image(Image(np.zeros(SHAPE)), Labels(truth()), dims, None)


def test_slices_of_a_time_series_run_over_both_axes() -> None:
    image, labels = Image(np.zeros((2, *SHAPE))), np.stack([truth()] * 2)
    annotated = annotated_image(image, Labels(labels), Dims(ndim=4), 3)
    assert len(annotated.planes) == 2 * SHAPE[2]
    objects = found(annotated, every=5)
    assert objects[0].slice_name == "0,5"
    assert objects[0].name("series") == "series/0,5/1"


def test_a_plane_image_has_one_slice() -> None:
    labels = np.zeros((30, 20), np.uint8)
    labels[3:9, 3:9] = 4
    objects = found(taken(Image(np.zeros((30, 20))), labels))
    assert [(each.plane, each.label) for each in objects] == [(Plane((None, None)), 4)]
    assert objects[0].name("photo") == "photo/4"


def test_several_resolutions_and_colour() -> None:
    levels = [np.zeros((30, 20), np.uint8), np.zeros((15, 10), np.uint8)]
    levels[0][3:9, 3:9] = 4
    image = Image(np.zeros((30, 20, 3), np.uint8), rgb=True)
    labels = Labels(levels, multiscale=True)
    annotated = annotated_image(image, labels, Dims(ndim=2), None)
    (sample,) = samples(annotated, found(annotated))
    assert sample.image.shape == (30, 20, 3)
    assert sample.mask.sum() == 36


def test_lazy_data_is_read_slice_by_slice() -> None:
    read: list[tuple[str, int]] = []

    def lazy(name: str, array: np.ndarray) -> da.Array:
        def block(block_info: Any = None) -> np.ndarray:
            start = block_info[None]["array-location"][0][0]
            read.append((name, start))
            return array[start : start + 1]

        chunks = ((1,) * SHAPE[0], *((size,) for size in SHAPE[1:]))
        return da.map_blocks(block, chunks=chunks, dtype=array.dtype, meta=array[:0])

    image = Image(lazy("image", np.zeros(SHAPE, np.uint8)), contrast_limits=(0, 9))
    labels = Labels(lazy("labels", truth()))
    annotated = annotated_image(image, labels, Dims(ndim=3), None)
    read.clear()
    objects = found(annotated, every=20, max_objects=1)
    assert read == [("labels", 0), ("labels", 20), ("labels", 20)]
    read.clear()
    assert len(list(samples(annotated, objects))) == 1
    assert read == [("image", 20)]


def test_shapes_that_differ_are_explained() -> None:
    with pytest.raises(ValueError, match="same shape"):
        taken(Image(np.zeros(SHAPE)), np.zeros((3, 4, 5), np.uint8))


def test_an_axis_that_a_plane_lacks_is_explained() -> None:
    image, labels = Image(np.zeros((30, 20))), np.ones((30, 20), np.uint8)
    with pytest.raises(ValueError, match="cannot be sliced along axis 0"):
        taken(image, labels, axis=0)


def test_objects_stay_as_they_were_when_they_were_chosen() -> None:
    annotated = taken(Image(np.zeros(SHAPE)), truth())
    objects = found(annotated, every=5, min_area=4)
    annotated.labels[annotated.labels == 7] = 0
    annotated.labels[:, 20:] = 1
    for each, sample in zip(objects, samples(annotated, objects), strict=True):
        as_it_was = truth()[each.plane.index] == each.label
        np.testing.assert_array_equal(sample.mask, as_it_was)


@pytest.mark.parametrize(
    ("units", "expected"),
    [(("um",) * 3, (0.004, 0.002)), (("s", "nm", "mm"), (4e-6, 2)), ((), None)],
)
def test_pixel_size_in_millimetres(
    units: tuple[str, ...], expected: tuple[float, float] | None
) -> None:
    image = Image(np.zeros(SHAPE), scale=(9, 4, 2), units=units or None)
    size = taken(image).pixel_size
    assert size == (None if expected is None else pytest.approx(expected))


def test_pixel_size_of_a_transposed_affine() -> None:
    affine = np.array([[3, 0, 0, 9], [0, 0, 2, 5], [0, 4, 0, 3.0], [0, 0, 0, 1]])
    image = Image(np.zeros(SHAPE), affine=affine, units=("mm",) * 3)
    assert taken(image).pixel_size == pytest.approx((4, 2))
