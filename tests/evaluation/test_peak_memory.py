"""Peak memory, and the process that it is measured in."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from napari_simpleclick.evaluation.peak_memory import measure_apart, peak_memory

MIB = 2**20
CODE = """
import json, numpy as np
from napari_simpleclick.evaluation.peak_memory import peak_memory
before = peak_memory("cpu")
np.ones(int({mib} * 2**20), dtype=np.uint8)
print(json.dumps(peak_memory("cpu") - before))
"""


def test_it_is_that_of_this_process_alone() -> None:
    held = np.ones(600 * MIB, dtype=np.uint8)
    found = peak_memory("cpu")
    assert found is not None
    assert found > held.nbytes
    code = CODE.format(mib=300)
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    # Of the 600 MiB here, nothing hides the 300 there.
    assert json.loads(told.stdout) == pytest.approx(300 * MIB, rel=0.05)


def test_where_it_is_not_told_it_is_none() -> None:
    assert peak_memory("mps") is None


def test_a_measurement_that_fails_is_named() -> None:
    with pytest.raises(
        ChildProcessError, match=r"the moon could not be measured: .*No module named"
    ):
        measure_apart("napari_simpleclick.moon", (), "the moon")
