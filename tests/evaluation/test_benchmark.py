import json
from pathlib import Path

import pytest

from napari_simpleclick.cli import main
from napari_simpleclick.evaluation.benchmark import benchmark, benchmark_table


def test_runtimes_are_timed_in_turns_and_compared() -> None:
    told: list[str] = []
    document = benchmark(
        ["xtiny"],
        [64],
        ["torch-bfloat16", "torch-float32"],
        device="cpu",
        rounds=3,
        progress=told.append,
    )
    reference, other = document["rows"]
    assert (reference["runtime"], other["runtime"]) == (
        "torch-float32",
        "torch-bfloat16",
    )
    assert reference["ratio_to_torch_float32"] == 1
    assert other["ratio_to_torch_float32"] == pytest.approx(
        other["median_ms"] / reference["median_ms"], rel=0.01
    )
    assert 0 < reference["median_ms"] <= reference["p95_ms"]
    assert reference["flops"] == other["flops"] > 1e8
    assert 0 < reference["matmul_share"] < 2
    assert told[0] == "xtiny at 64"
    assert len(benchmark_table(document).splitlines()) == 3


def test_the_command_writes_rows_and_names_what_auto_took(tmp_path: Path) -> None:
    output = tmp_path / "speed.json"
    options = ["--sizes", "64", "--runtimes", "auto", "--rounds", "1"]
    assert main(["benchmark", *options, "--output", str(output)]) == 0
    document = json.loads(output.read_text())
    assert [row["runtime"] for row in document["rows"]] == ["torch-float32", "auto"]
    assert document["rows"][1]["computed_by"] in (
        "openvino-bfloat16",
        "openvino-float32",
    )
    assert document["machine"]["cores"] > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("small", [64], ["auto"]), "variants: 'small', expected xtiny"),
        (("xtiny", [64], ["jax"]), "runtimes: 'jax', expected auto, torch-float32"),
    ],
)
def test_what_cannot_be_measured_is_named(arguments, sentence) -> None:
    variant, sizes, runtimes = arguments
    with pytest.raises(ValueError, match=sentence):
        benchmark([variant], sizes, runtimes)
