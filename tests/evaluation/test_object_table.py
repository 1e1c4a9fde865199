from dataclasses import replace

import numpy as np
import pytest

from napari_simpleclick.evaluation.object_table import ObjectTable
from napari_simpleclick.evaluation.run import SampleResult
from napari_simpleclick.evaluation.samples import SliceClick
from napari_simpleclick.types import Click

RESULTS = [
    SampleResult(
        'a, "odd" name/1',
        np.array([1 / 3, 0.9], np.float32),
        (Click(3, 40), Click(0, 1, is_positive=False)),
        1.25,
        0.5,
        2.5,
    ),
    SampleResult("b/2", np.array([0, 1], np.float32), (Click(1, 1), Click(2, 2))),
]


@pytest.fixture
def table(tmp_path):
    table = ObjectTable(tmp_path / "objects.csv", 2)
    assert table.open() == {}
    for result in RESULTS:
        table.append("one", result)
    table.append("two", RESULTS[1])
    return table


def test_rows_come_back_as_they_were(table):
    rows = table.open()
    assert {model: list(row) for model, row in rows.items()} == {
        "one": [result.name for result in RESULTS],
        "two": ["b/2"],
    }
    for expected in RESULTS:
        found = rows["one"][expected.name]
        assert (found.clicks, found.seconds) == (expected.clicks, expected.seconds)
        np.testing.assert_array_equal(found.ious, expected.ious)
        for measure in ("boundary_iou", "surface_mm"):
            np.testing.assert_equal(getattr(found, measure), getattr(expected, measure))
        assert found.ious.dtype == np.float32


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\n", "\r", "\r\n"])
def test_a_name_may_have_any_end_of_line_in_it(table, end):
    odd = replace(RESULTS[1], name=f"c{end}d/1")
    table.append("one", odd)
    assert list(table.open()["one"]) == [*(r.name for r in RESULTS), odd.name]


def test_rows_are_put_in_another_order(table):
    before = table.path.read_text()
    table.put_in_order({"two": [RESULTS[1]], "one": RESULTS[::-1]})
    rows = table.open()
    assert {model: list(row) for model, row in rows.items()} == {
        "two": ["b/2"],
        "one": ["b/2", RESULTS[0].name],
    }
    assert sorted(table.path.read_text()) == sorted(before)


def test_the_file_reads_well(table):
    lines = table.path.read_text().splitlines()
    assert lines[0] == (
        "model,object,seconds,boundary_iou,surface_mm,clicks,iou_1,iou_2"
    )
    assert lines[2] == 'one,b/2,0,nan,nan,"+1,1 +2,2",0.0,1.0'


def test_clicks_in_volumes_have_a_slice(table):
    clicks = SliceClick(3, 40, True, 12), SliceClick(0, 1, False, 0)
    table.append("two", SampleResult("v/1", np.zeros(2, np.float32), clicks))
    assert '"+12,3,40 -0,0,1"' in table.path.read_text()
    assert table.open()["two"]["v/1"].clicks == clicks


def test_an_unfinished_row_is_cut_off(table):
    with table.path.open("a") as file:
        file.write('two,c/1,1,nan,nan,"+1,1')
    assert list(table.open()["two"]) == ["b/2"]
    table.append("two", RESULTS[0])
    assert list(table.open()["two"]) == ["b/2", RESULTS[0].name]


@pytest.mark.parametrize("row", ["two;c/1;1;nan", "two,c/1,1,nan,nan,,0.5,x"])
def test_a_broken_row_is_named(table, row):
    with table.path.open("a") as file:
        file.write(f"{row}\n")
    with pytest.raises(ValueError, match=r"objects\.csv: row 5 is broken"):
        table.open()


def test_other_columns_are_refused(table):
    with pytest.raises(ValueError, match="other columns"):
        ObjectTable(table.path, 3).open()
