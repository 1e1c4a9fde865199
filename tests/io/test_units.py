import pytest

from napari_simpleclick.io.units import canonical_unit, convert_length, is_length


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("µm", "um"),  # micro sign, U+00B5
        ("\u03bcm", "um"),  # Greek letter
        (r"\u00B5m", "um"),  # as ImageJ escapes it
        ("micron", "um"),
        ("micrometer", "um"),
        ("nm", "nm"),
        ("Å", "angstrom"),
        (" Millimeter", "mm"),
        ("sec", "s"),
        ("pixel", "pixel"),
        ("reference frame", "pixel"),
        ("", "pixel"),
        (None, "pixel"),
    ],
)
def test_names_of_units(name, unit):
    assert canonical_unit(name) == unit


def test_lengths_convert_without_noise():
    assert convert_length(0.05, "um", "nm") == 50
    assert convert_length(2.0, "cm", "mm") == 20
    assert convert_length(1.0, "inch", "cm") == 2.54


def test_time_and_pixels_are_no_lengths():
    assert [is_length(u) for u in ("um", "pixel", "s")] == [True, False, False]
