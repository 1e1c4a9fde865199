"""The bundled model on a GPU: every runtime, and what the clicks of a user give."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_simpleclick.evaluation.lockstep import Request, predict_together
from napari_simpleclick.inference.loading import load_predictor, runtime_of
from napari_simpleclick.modeling.catalog import find_checkpoint
from napari_simpleclick.modeling.runtimes.agreement import reference_inputs
from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
from napari_simpleclick.modeling.runtimes.opening import open_runtime
from napari_simpleclick.modeling.runtimes.runtime import RuntimeName
from napari_simpleclick.modeling.runtimes.runtime_cache import RuntimeCache
from napari_simpleclick.types import Click

Inputs = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@pytest.fixture(scope="module")
def source() -> NetworkSource:
    return NetworkSource.from_file(find_checkpoint("default"))


def crops(size: int, count: int = 3) -> list[Inputs]:
    """A made-up slice with one to three clicks."""
    return [reference_inputs(size, clicks) for clicks in range(1, count + 1)]


@pytest.mark.parametrize(
    "name",
    [
        "torch-float32",
        "torch-bfloat16",
        "torch-float16",
        "torch-graph",
        pytest.param("torch-compile", marks=pytest.mark.slow),
    ],
)
def test_every_runtime_answers_as_the_processor(
    name: RuntimeName, source: NetworkSource, tmp_path: Path
) -> None:
    cache = RuntimeCache(tmp_path)
    runtime = open_runtime(source, name, device="cuda", cache=cache)
    expected = open_runtime(source, "torch-float32", device="cpu", cache=cache)
    for given in [*crops(448), *crops(224)]:
        masks = [compute(*given) > 0 for compute in (runtime, expected)]
        assert masks[1].any()
        assert iou(*masks) > 0.98
    batch = tuple(np.repeat(value, 3, axis=0) for value in crops(448)[2])
    answer = runtime(*batch)
    assert answer.shape == (3, 1, 448, 448)
    assert iou(answer > 0, expected(*batch) > 0) > 0.98


def test_auto_is_a_graph(source: NetworkSource, tmp_path: Path) -> None:
    runtime = open_runtime(source, device="cuda", cache=RuntimeCache(tmp_path))
    assert (runtime.name, runtime.refusals) == ("torch-graph", ())


def test_a_graph_mixes_nothing_up(source: NetworkSource, tmp_path: Path) -> None:
    cache = RuntimeCache(tmp_path)
    graph, eager = (
        open_runtime(source, name, device="cuda", cache=cache).compute
        for name in ("torch-graph", "torch-bfloat16")
    )
    rng = np.random.default_rng(0)
    given = [
        (image, rng.random(before.shape, np.float32), points)
        for image, before, points in [*crops(448), *crops(224)] * 4
    ]
    given += [
        tuple(np.repeat(value, 2, axis=0) for value in inputs) for inputs in given[:2]
    ]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda inputs: graph(*inputs), given))
    for answer, inputs in zip(answers, given, strict=True):
        np.testing.assert_allclose(answer, eager(*inputs), atol=0.3)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(graph))(*given[0]), answers[0]
    )
    with pytest.raises(ValueError, match=r"image: shape \(1, 3, 60, 60\), expected"):
        graph(*(value[..., :60, :60] for value in given[0][:2]), given[0][2])


def test_clicks_give_the_mask_of_the_processor() -> None:
    ours, expected = (load_predictor(device=place) for place in ("cuda", "cpu"))
    runtime = runtime_of(ours)
    assert runtime is not None
    assert runtime.device == "cuda"
    rows, cols = np.ogrid[:200, :240]
    disk = np.hypot(rows - 90, cols - 100) < 30
    noise = np.random.default_rng(0).normal(0, 9, disk.shape)
    image = (60 + 80 * disk + noise).clip(0, 255).astype(np.uint8)
    clicks = [Click(90, 100), Click(80, 90), Click(20, 20, is_positive=False)]
    masks = [one.predict(image, clicks).mask(0.49) for one in (ours, expected)]
    assert iou(*masks) > 0.95
    assert iou(masks[0], disk) > 0.8
    alone = ours.predict(image, clicks[:1]).mask(0.49)
    for answer in predict_together(ours, [Request(image, clicks[:1], None)] * 3):
        assert iou(answer.mask(0.49), alone) > 0.95


def iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float((first & second).sum() / (first | second).sum())
