import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_simpleclick.modeling.catalog import find_checkpoint
from napari_simpleclick.modeling.checkpoint import load_checkpoint, save_checkpoint
from napari_simpleclick.modeling.runtimes import opening
from napari_simpleclick.modeling.runtimes.agreement import reference_answer
from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
from napari_simpleclick.modeling.runtimes.recorded_answers import (
    read_answers,
    record_answers,
)
from napari_simpleclick.modeling.runtimes.runtime import RuntimeRefusedError
from napari_simpleclick.modeling.runtimes.runtime_cache import RuntimeCache
from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager
from napari_simpleclick.modeling.simpleclick import SimpleClick
from tests.modeling.runtimes.conftest import TINY


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def recorded(network: SimpleClick, tmp_path: Path) -> Path:
    glancing = SimpleClick(replace(TINY, second_look=True, glance_size=32)).eval()
    glancing.load_state_dict(network.state_dict())
    path = tmp_path / "own.safetensors"
    save_checkpoint(glancing, path)
    record_answers(path)
    return path


def test_those_of_the_bundled_model_are_its_own() -> None:
    path = find_checkpoint("default")
    answers = read_answers(path, digest_of(path))
    assert set(answers) == {224, 448}
    compute = TorchEager(load_checkpoint(path))
    for size, answer in answers.items():
        expected = reference_answer(compute, size)
        assert answer.shape == expected.shape
        assert 0.01 < (answer > 0.5).mean() < 0.5
        assert np.abs(answer - expected).max() < 0.01


def test_they_are_read_as_they_were_written(recorded: Path) -> None:
    answers = read_answers(recorded, digest_of(recorded))
    assert set(answers) == {32, 64}
    compute = TorchEager(load_checkpoint(recorded))
    for size, answer in answers.items():
        assert answer.dtype == np.float32
        expected = reference_answer(compute, size)
        np.testing.assert_allclose(answer, expected, rtol=0, atol=0.51 / 255)


def test_those_of_another_file_do_not_count(recorded: Path) -> None:
    assert not read_answers(recorded, "0" * 64)
    assert not read_answers(recorded.with_name("other.safetensors"), "0" * 64)


def test_a_runtime_that_answers_otherwise_is_refused(
    recorded: Path, cache: RuntimeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = NetworkSource.from_file(recorded)
    assert opening.open_runtime(source, "openvino-float32", cache=cache).config
    changed = {size: np.roll(a, size // 4, 2) for size, a in source.answers.items()}
    wrong = NetworkSource(
        lambda: source.network, "2" * 64, answers=changed, read=lambda: source.weights
    )
    with pytest.raises(RuntimeRefusedError, match="agrees with that of PyTorch"):
        opening.open_runtime(wrong, "openvino-float32", cache=cache)
