import json
from pathlib import Path

import pytest

from napari_simpleclick.cli import main
from napari_simpleclick.evaluation.benchmark import benchmark, benchmark_table
from napari_simpleclick.modeling.runtimes.runtime import RuntimeChoice


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
    assert reference["gflops"] == pytest.approx(reference["flops"] / 1e9, abs=1e-3)
    assert 0 < reference["matmul_share"] < 2
    assert told[0] == "xtiny at 64"
    # The weights in float32, 15 MiB, and little else for so small an image.
    assert 14 < reference["peak_memory_mib"] < 200
    assert 0 < other["peak_memory_mib"] < 200
    head, line, _ = benchmark_table(document).splitlines()
    assert head.split()[-1] == "memory"
    assert line.endswith(f"{reference['peak_memory_mib']:.0f} MiB")


def test_memory_that_the_system_does_not_tell_has_a_word() -> None:
    row = {"variant": "xtiny", "size": 64, "runtime": "auto", "computed_by": "x"}
    times = {"median_ms": 1.0, "p95_ms": 2.0, "ratio_to_torch_float32": 0.5}
    rest = {"gflops": 1.0, "matmul_share": 0.5, "peak_memory_mib": None}
    table = benchmark_table({"rows": [row | times | rest]})
    assert table.endswith(" 50%    unknown")


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
    assert all(row["peak_memory_mib"] > 0 for row in document["rows"])
    assert document["machine"]["cores"] > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("small", [64], ["auto"]), "variants: 'small', expected xtiny"),
        (("xtiny", [64], ["jax"]), "runtimes: 'jax', expected auto, torch-float32"),
    ],
)
def test_what_cannot_be_measured_is_named(
    arguments: tuple[str, list[int], list[RuntimeChoice]], sentence: str
) -> None:
    variant, sizes, runtimes = arguments
    with pytest.raises(ValueError, match=sentence):
        benchmark([variant], sizes, runtimes)
