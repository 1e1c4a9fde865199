import json

import pytest

from napari_simpleclick.io.clicks_file import VolumeClick, read_clicks, write_clicks
from napari_simpleclick.types import Click

ENTRY = {"object": 1, "axis": 0, "position": [2, 3.5, 4], "positive": True}
DEEP = pytest.param(b"[" * 100_000, id="deep")


def save(path, **changes):
    content = {
        "format": "napari-simpleclick clicks",
        "version": 1,
        "clicks": [ENTRY],
        **changes,
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_clicks_come_back_in_order(tmp_path):
    clicks = [
        VolumeClick(1, 0, (12.0, 120.5, 88.25)),
        VolumeClick(2, 2, (-0.5, 0.0, 7.0), is_positive=False),
        VolumeClick(1, 1, (0.0, 3.0, 0.1)),
    ]

    write_clicks(tmp_path / "clicks.json", clicks)

    assert read_clicks(tmp_path / "clicks.json") == clicks


def test_no_clicks_are_a_file_too(tmp_path):
    write_clicks(tmp_path / "clicks.json", [])

    assert read_clicks(tmp_path / "clicks.json") == []


def test_integers_in_the_file_are_positions(tmp_path):
    assert read_clicks(save(tmp_path / "c.json")) == [VolumeClick(1, 0, (2, 3.5, 4))]


@pytest.mark.parametrize(("axis", "row", "col"), [(0, 3.5, 4), (1, 2, 4), (2, 2, 3.5)])
def test_click_on_its_slice(axis, row, col):
    click = VolumeClick(1, axis, (2, 3.5, 4), is_positive=False)

    assert click.click == Click(row, col, is_positive=False)


def test_byte_order_mark_of_windows_is_passed_over(tmp_path):
    file = save(tmp_path / "c.json")
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert len(read_clicks(file)) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"object": 0}, "object is 0; expected 1, 2, 3"),
        ({"object": 1.5}, "object is 1.5"),
        ({"object": True}, "object is True"),
        ({"axis": 3}, "axis is 3; expected 0, 1 or 2"),
        ({"axis": "z"}, "axis is 'z'"),
        ({"position": [1, 2]}, r"position is \[1, 2\]; expected three numbers"),
        ({"position": [1, 2, "3"]}, r"position is \[1, 2, '3'\]"),
        ({"position": [1, -0.6, 3]}, "of at least -0.5"),
        ({"position": [1, float("nan"), 3]}, "position is"),
        ({"position": "1 2 3"}, r"position is '1 2 3'; expected \[z, y, x\]"),
        ({"positive": 1}, "positive is 1; expected true or false"),
        ({"negative": False}, "expected an object with object, axis, position"),
    ],
)
def test_the_wrong_click_is_named(tmp_path, change, message):
    path = save(tmp_path / "c.json", clicks=[ENTRY, ENTRY | change])

    with pytest.raises(ValueError, match=rf"c\.json: clicks\[1\]: .*{message}"):
        read_clicks(path)


def test_clicks_lie_in_the_volume(tmp_path):
    path = save(tmp_path / "c.json")

    assert len(read_clicks(path, shape=(3, 5, 5))) == 1
    with pytest.raises(ValueError, match=r"outside the volume of shape \(3, 4, 5\)"):
        read_clicks(path, shape=(3, 4, 5))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, 'expected "format": "napari-simpleclick clicks"'),
        ({"version": 2}, "has version 2; expected 1"),
        ({"clicks": {}}, "clicks is {}; expected a list"),
        ({"clicks": [7]}, r"clicks\[0\]: got 7; expected an object"),
    ],
)
def test_other_files_are_named(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        read_clicks(save(tmp_path / "c.json", **changes))


@pytest.mark.parametrize("content", [b"not json", b"\xff\xfe\x00", b"[]", DEEP])
def test_files_that_are_no_clicks(tmp_path, content):
    (tmp_path / "c.json").write_bytes(content)

    with pytest.raises(ValueError, match=r"c\.json (cannot be read|is no file)"):
        read_clicks(tmp_path / "c.json")
