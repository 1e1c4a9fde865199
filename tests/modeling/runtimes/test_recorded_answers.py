import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_simpleclick.modeling.catalog import find_checkpoint
from napari_simpleclick.modeling.checkpoint import (
    export_published,
    load_checkpoint,
    save_checkpoint,
)
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
        np.testing.assert_allclose(answer, expected, rtol=0, atol=0.51 / 1000)


def test_those_of_another_file_do_not_count(recorded: Path) -> None:
    assert not read_answers(recorded, "0" * 64)
    assert not read_answers(recorded.with_name("other.safetensors"), "0" * 64)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"version https://git-lfs.github.com/spec/v1",
        lambda whole: whole.replace(b"of.npy", b"if.npy"),
        lambda whole: whole.replace(b"64.npy", b"65.npy"),
        lambda whole: whole.replace(b"64.npy", b"xx.npy"),
    ],
)
def test_damaged_ones_are_none(
    recorded: Path,
    damage: Callable[[bytes], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = recorded.with_suffix(".answers.npz")
    path.write_bytes(damage(path.read_bytes()))
    assert not read_answers(recorded, digest_of(recorded))
    assert "cannot be read" in caplog.text
    assert NetworkSource.from_file(recorded).weights.config.glance_size == 32


def test_only_a_checkpoint_that_is_read_without_torch_has_some(
    network: SimpleClick, tmp_path: Path
) -> None:
    path = tmp_path / "published.pth"
    export_published(network, path)
    with pytest.raises(ValueError, match="was not written by save_checkpoint"):
        record_answers(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_runtime_that_answers_otherwise_is_refused(
    recorded: Path, cache: RuntimeCache
) -> None:
    source = NetworkSource.from_file(recorded)
    opening.open_runtime(source, "openvino-float32", cache=cache)
    assert "network" not in vars(source)  # it was not built
    changed = {size: np.roll(a, size // 4, 2) for size, a in source.answers.items()}
    wrong = NetworkSource(
        lambda: source.network, "2" * 64, answers=changed, read=lambda: source.weights
    )
    with pytest.raises(RuntimeRefusedError, match="agrees with that of PyTorch"):
        opening.open_runtime(wrong, "openvino-float32", cache=cache)
