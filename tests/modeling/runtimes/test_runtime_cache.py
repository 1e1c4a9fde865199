import logging
from dataclasses import replace

import pytest

from napari_simpleclick.modeling.runtimes.runtime_cache import (
    RuntimeCache,
    RuntimeKey,
    RuntimeRecord,
)
from tests.modeling.runtimes.conftest import TINY

KEY = RuntimeKey("ab" * 32, "openvino-bfloat16", None, {"openvino": "2026.4"})
RECORD = RuntimeRecord(TINY, 0.998, b"{}\n\x00compiled" * 50)


def test_what_is_written_is_read(cache: RuntimeCache) -> None:
    assert cache.read(KEY) is None
    cache.write(KEY, RECORD)
    assert cache.read(KEY) == RECORD
    newer = replace(RECORD, agreement=0.2, blob=b"")
    cache.write(KEY, newer)
    assert cache.read(KEY) == newer
    assert [path.name for path in cache.folder.iterdir()] == [KEY.file_name]


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, made_with={"openvino": "2026.5"}),
        replace(KEY, checkpoint="ab" * 31 + "cd"),
    ],
)
def test_one_of_other_versions_or_weights_is_stale(
    cache: RuntimeCache, other: RuntimeKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cache.write(KEY, RECORD)
    assert cache.read(other) is None
    assert "was made for other versions" in caplog.text
    cache.write(other, RECORD)
    assert cache.read(other) == RECORD
    assert len(list(cache.folder.iterdir())) == 1


def test_runtimes_sizes_and_checkpoints_have_files_of_their_own() -> None:
    keys = [
        KEY,
        replace(KEY, size=224),
        replace(KEY, runtime="openvino-float32"),
        replace(KEY, checkpoint="cd" * 32),
    ]
    assert len({key.file_name for key in keys}) == 4


@pytest.mark.parametrize("end", [0, 1, 40, -1])
def test_a_cut_file_counts_as_missing(
    cache: RuntimeCache, end: int, caplog: pytest.LogCaptureFixture
) -> None:
    cache.write(KEY, RECORD)
    path = cache.folder / KEY.file_name
    path.write_bytes(path.read_bytes()[:end])
    assert cache.read(KEY) is None
    assert str(path) in caplog.text


def test_entries_of_an_unknown_configuration_count_as_missing(
    cache: RuntimeCache,
) -> None:
    cache.write(KEY, RECORD)
    path = cache.folder / KEY.file_name
    path.write_bytes(path.read_bytes().replace(b'"click_radius"', b'"click_side"'))
    assert cache.read(KEY) is None
