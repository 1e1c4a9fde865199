"""Planes name slices, take them, and map points to pixels and back."""

from __future__ import annotations

import numpy as np
import pytest

from napari_simpleclick.inference.plane import Plane


def test_through_a_point_rounds_to_the_displayed_slice() -> None:
    assert Plane.through((29.6, 4.0, 5.0), {1, 2}) == Plane((30, None, None))
    assert Plane.through((3.0, 2.2, 7.0, 8.0), (3, 1)) == Plane((3, None, 7, None))
    assert Plane.through((-0.5, 1.5, 2.5, 7, 8), {3, 4}).position[:3] == (0, 2, 2)


def test_takes_rows_then_columns_whatever_the_axes() -> None:
    volume = np.arange(24).reshape(2, 3, 4)
    plane = Plane((None, 1, None))
    assert plane.axes == (0, 2)
    np.testing.assert_array_equal(volume[plane.index], volume[:, 1, :])


def test_project_and_lift_are_inverse() -> None:
    plane = Plane((None, 7, None))
    assert plane.project((1.5, 7.0, 2.25)) == (1.5, 2.25)
    assert plane.lift(1.5, 2.25) == (1.5, 7.0, 2.25)


def test_text_is_the_index_and_reads_back() -> None:
    plane = Plane((30, None, None))
    assert str(plane) == "30,:,:"
    assert Plane.parse("30, :, :") == plane


@pytest.mark.parametrize("text", ["", "30", "30,:", "x,:,:", ":,:,:", "-1,:,:"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected one like"):
        Plane.parse(text)


def test_fits_only_arrays_that_have_the_slice() -> None:
    plane = Plane((30, None, None))
    assert plane.fits((31, 4, 4))
    assert not plane.fits((30, 4, 4))
    assert not plane.fits((31, 4))
