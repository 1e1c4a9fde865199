import json
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from napari_simpleclick.modeling.runtimes.candidates import candidates
from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
from napari_simpleclick.modeling.runtimes.opening import open_runtime
from napari_simpleclick.modeling.runtimes.openvino_compiled import OpenVINOCompiled
from napari_simpleclick.modeling.runtimes.runtime import (
    Runtime,
    RuntimeName,
    RuntimeRefusedError,
    title_of,
)
from napari_simpleclick.modeling.runtimes.runtime_cache import RuntimeCache
from napari_simpleclick.modeling.simpleclick import SimpleClick
from tests.modeling.runtimes.conftest import TINY

TOLERANCE = {"float32": 1e-3, "float16": 0.05, "bfloat16": 0.3, "compile": 1e-3}
"""On logits whose standard deviation is about 1."""


def inputs(batch: int, clicks: int) -> tuple[NDArray[np.float32], ...]:
    rng = np.random.default_rng(batch + 10 * clicks)
    image = rng.random((batch, 3, 64, 64), dtype=np.float32)
    prev_mask = rng.random((batch, 1, 64, 64), dtype=np.float32)
    points = np.float32(64) * rng.random((batch, 2 * clicks, 3), dtype=np.float32)
    points[:, -1:] = -1
    return image, prev_mask, points


def answer_of(
    network: SimpleClick, given: tuple[NDArray[np.float32], ...]
) -> NDArray[np.float32]:
    with torch.inference_mode():
        logits: NDArray[np.float32] = network(*map(torch.from_numpy, given)).numpy()
    return logits


def unneeded() -> SimpleClick:
    raise AssertionError("the network was built")


def only_file(cache: RuntimeCache) -> Path:
    (path,) = cache.folder.iterdir()
    return path


def change_head(path: Path, **entries: object) -> None:
    """Change entries of a record, as if it had been made otherwise."""
    line, _, blob = path.read_bytes().partition(b"\n")
    path.write_bytes(json.dumps(json.loads(line) | entries).encode() + b"\n" + blob)


@pytest.mark.parametrize(
    "name",
    [
        "torch-float32",
        "torch-bfloat16",
        "torch-float16",
        pytest.param("torch-compile", marks=pytest.mark.slow),
        "openvino-float32",
        "openvino-bfloat16",
    ],
)
def test_every_runtime_answers_as_the_network(
    name: RuntimeName,
    source: NetworkSource,
    network: SimpleClick,
    cache: RuntimeCache,
) -> None:
    runtime = open_runtime(source, name, cache=cache)
    assert runtime.name == name
    assert runtime.config == TINY
    for batch, clicks in ((1, 1), (2, 3), (5, 21), (1, 0)):
        given = inputs(batch, clicks)
        answer, expected = runtime(*given), answer_of(network, given)
        assert answer.dtype == np.float32
        assert expected.std() > 0.3
        tolerance = TOLERANCE[name.partition("-")[2]]
        np.testing.assert_allclose(answer, expected, rtol=0, atol=tolerance)


def test_torch_in_float32_is_the_network_itself(
    source: NetworkSource, network: SimpleClick, cache: RuntimeCache
) -> None:
    runtime = open_runtime(source, "torch-float32", cache=cache)
    given = inputs(1, 2)
    np.testing.assert_array_equal(runtime(*given), answer_of(network, given))
    assert not cache.folder.exists()


def test_a_compiled_network_is_kept(source: NetworkSource, cache: RuntimeCache) -> None:
    first = open_runtime(source, "openvino-float32", cache=cache)
    again = open_runtime(
        NetworkSource(unneeded, source.digest), "openvino-float32", cache=cache
    )
    given = inputs(2, 3)
    np.testing.assert_array_equal(again(*given), first(*given))
    assert again.config == TINY
    other = NetworkSource(unneeded, "0" * 64)
    with pytest.raises(AssertionError, match="was built"):
        open_runtime(other, "openvino-float32", cache=cache)


@pytest.mark.parametrize("name", ["openvino-float32", "torch-bfloat16"])
def test_a_runtime_can_be_sent_to_another_process(
    name: RuntimeName, source: NetworkSource, cache: RuntimeCache
) -> None:
    runtime = open_runtime(source, name, cache=cache)
    sent = pickle.loads(pickle.dumps(runtime))
    given = inputs(1, 3)
    np.testing.assert_array_equal(sent(*given), runtime(*given))


def test_threads_can_be_limited_here_and_in_another_process(
    source: NetworkSource, cache: RuntimeCache
) -> None:
    def threads_of(runtime: Runtime) -> int:
        assert isinstance(runtime.compute, OpenVINOCompiled)
        return runtime.compute.threads

    runtime = open_runtime(source, "openvino-float32", threads=1, cache=cache)
    sent = pickle.loads(pickle.dumps(runtime))
    assert threads_of(runtime) == threads_of(sent) == 1
    given = inputs(5, 2)  # many at a time
    np.testing.assert_allclose(sent(*given), runtime(*given), atol=1e-5)
    usual = open_runtime(source, "openvino-float32", cache=cache)
    assert threads_of(usual) >= min(2, os.cpu_count() or 1)


def test_a_damaged_one_is_made_anew(
    source: NetworkSource, cache: RuntimeCache, caplog: pytest.LogCaptureFixture
) -> None:
    open_runtime(source, "openvino-float32", cache=cache)
    whole = only_file(cache).read_bytes()
    only_file(cache).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    runtime = open_runtime(source, "openvino-float32", cache=cache)
    assert "is damaged" in caplog.text
    assert np.isfinite(runtime(*inputs(1, 1))).all()
    again = NetworkSource(unneeded, source.digest)
    open_runtime(again, "openvino-float32", cache=cache)


def test_auto_goes_on_to_the_next_and_tells(
    source: NetworkSource, cache: RuntimeCache, caplog: pytest.LogCaptureFixture
) -> None:
    first = open_runtime(source, cache=cache)
    names = list(candidates("cpu"))
    assert first.name == names[0] != "torch-float32"
    assert not first.refusals
    change_head(only_file(cache), agreement=0.5)
    second = open_runtime(source, cache=cache)
    assert second.name == names[1]
    (refusal,) = second.refusals
    assert refusal in caplog.text
    assert refusal.startswith(f"{title_of(first.name)} is not used")
    assert "0.500" in refusal
    with pytest.raises(RuntimeRefusedError, match="is not used"):
        open_runtime(source, first.name, cache=cache)


def test_without_openvino_torch_computes_and_tells_what_is_missing(
    source: NetworkSource, cache: RuntimeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    runtime = open_runtime(source, cache=cache)
    assert runtime.name.startswith("torch-")
    (refusal,) = runtime.refusals
    assert refusal.endswith('not installed: pip install "napari-simpleclick[openvino]"')


@pytest.mark.parametrize(
    ("has_it", "half"), [(True, "torch-bfloat16"), (False, "torch-float16")]
)
def test_a_gpu_replays_a_graph_first(
    has_it: bool, half: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "napari_simpleclick.modeling.runtimes.torch_eager.has_bfloat16",
        lambda _: has_it,
    )
    for device in ("cuda", "cuda:1"):
        assert list(candidates(device)) == ["torch-graph", half, "torch-float32"]


def test_one_that_overflows_is_refused_for_good(
    network: SimpleClick, cache: RuntimeCache
) -> None:
    wide = SimpleClick(TINY).eval()
    wide.load_state_dict(network.state_dict())
    with torch.no_grad():
        wide.head.conv_seg.weight.mul_(1e6)
    source = NetworkSource(lambda: wide, "1" * 64)
    with pytest.raises(RuntimeRefusedError, match=r"by 0\.000"):
        open_runtime(source, "torch-float16", cache=cache)
    assert json.loads(only_file(cache).read_bytes().splitlines()[0])["agreement"] == 0


def test_one_that_is_nearly_good_enough_is_not_told_to_be(
    source: NetworkSource, cache: RuntimeCache
) -> None:
    open_runtime(source, "torch-bfloat16", cache=cache)
    change_head(only_file(cache), agreement=0.9899)
    with pytest.raises(RuntimeRefusedError, match=r"by 0\.989 .* least 0\.99$"):
        open_runtime(source, "torch-bfloat16", cache=cache)


def test_a_network_without_a_file_is_not_kept(
    network: SimpleClick, cache: RuntimeCache
) -> None:
    open_runtime(NetworkSource(lambda: network), "torch-bfloat16", cache=cache)
    assert not cache.folder.exists()


def test_a_folder_that_cannot_be_written_is_only_a_warning(
    source: NetworkSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = RuntimeCache(tmp_path / "file" / "runtimes")
    runtime = open_runtime(source, "torch-bfloat16", cache=cache)
    assert np.isfinite(runtime(*inputs(1, 1))).all()
    assert "cannot be kept" in caplog.text


def test_another_size_of_crops(source: NetworkSource, cache: RuntimeCache) -> None:
    runtime = open_runtime(source, "openvino-float32", size=32, cache=cache)
    shapes = (1, 3, 32, 32), (1, 1, 32, 32), (1, 2, 3)
    crops = tuple(np.zeros(shape, np.float32) for shape in shapes)
    assert runtime(*crops).shape == (1, 1, 32, 32)
    with pytest.raises(ValueError, match=r"expected height and width \(32, 32\)"):
        runtime(*inputs(1, 1))


def test_what_cannot_be_is_refused_in_a_sentence(
    source: NetworkSource, cache: RuntimeCache
) -> None:
    with pytest.raises(RuntimeRefusedError, match="on the CPU alone, not on cuda"):
        open_runtime(source, "openvino-float32", device="cuda", cache=cache)
    with pytest.raises(RuntimeRefusedError, match="on CUDA devices alone, not on cpu"):
        open_runtime(source, "torch-graph", cache=cache)
    with pytest.raises(ValueError, match="'warp', expected auto or one of torch-"):
        open_runtime(source, "warp", cache=cache)  # type: ignore[arg-type]
