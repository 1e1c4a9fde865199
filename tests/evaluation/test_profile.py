"""The profile command, and its table of what was measured and what was published."""

import json

import pytest

from napari_simpleclick.cli import main
from napari_simpleclick.evaluation.profile import profile_table
from napari_simpleclick.evaluation.published import published_costs


def test_published_costs():
    costs = published_costs()
    assert len(costs) == 16
    (base,) = (c for c in costs if (c.variant, c.size) == ("base", 448))
    assert base.backbone == "ViT-B"
    assert (base.parameters, base.flops) == (96.46e6, 169.78e9)
    assert (base.memory, base.seconds_per_click) == (0.87e9, 0.054)
    assert {c.variant for c in costs} == {"xtiny", "base", "large", "huge", None}


def test_a_variant_is_measured(tmp_path, capsys):
    output = tmp_path / "profile.json"
    options = ["--variants", "xtiny", "--sizes", "224", "--clicks", "1"]
    where = ["--device", "cpu", "--output", str(output)]
    assert main(["profile", *options, *where]) == 0
    document = json.loads(output.read_text())
    (row,) = document["rows"]
    assert (row["variant"], row["size"], row["device"]) == ("xtiny", 224, "cpu")
    assert row["parameters"] == 3_719_841
    # The libraries, some hundred MB, do not count; their peak may hide the rest.
    assert 0 <= row["memory_bytes"] < 400e6
    assert 1.9e9 < row["flops"] < 2e9
    assert row["seconds_per_click"] > 0
    assert row["published"]["flops"] == 2.63e9
    assert document["published"]["measured_here"] is False
    assert document["machine"]["cores"] >= 1
    printed = capsys.readouterr().out
    assert "xtiny at 224 ..." in printed
    assert profile_table(document) in printed


def test_the_table_tells_measured_from_published():
    published = {"parameters": 2e6, "flops": 3e9, "memory": 4e9}
    row = {
        "variant": "base",
        "size": 448,
        "parameters": 1_234_567,
        "flops": 9_876_543_210,
        "memory_bytes": None,
        "seconds_per_click": 0.5,
        "published": published | {"seconds_per_click": 0.25},
    }
    other = published | {"backbone": "X-1", "variant": None, "size": 400}
    note = {"source": "A paper", "note": "As it is.", "measured_here": False}
    rows = [other | {"seconds_per_click": 0.125}]
    lines = profile_table({"rows": [row], "published": note | {"rows": rows}})
    cells = [line.split() for line in lines.splitlines()]
    assert cells[1] == ["base", "448", "1.23", "9.88", "500"]
    assert cells[2] == ["published", "2.00", "3.00", "4.00", "250"]
    assert cells[4] == ["X-1", "400", "2.00", "3.00", "4.00", "125"]
    assert "Published, not measured here: A paper. As it is." in lines


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--variants", "tiny"], "variants: 'tiny', expected some of xtiny, base"),
        (["--sizes", "225"], "sizes: 225, expected a multiple of 16 for xtiny"),
        (["--sizes", "big"], "sizes: 'big', expected whole numbers"),
        (["--clicks", "0"], "clicks: 0, expected at least 1"),
        (["--device", "mps"], "xtiny at 224 could not be measured: ValueError"),
    ],
)
def test_options_that_do_not_fit(options, told, capsys):
    assert main(["profile", *options]) == 1
    assert told in capsys.readouterr().err
