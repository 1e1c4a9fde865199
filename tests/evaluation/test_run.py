import numpy as np
import pytest

from napari_simpleclick.evaluation.run import evaluate_dataset, evaluate_sample
from napari_simpleclick.evaluation.samples import AnnotatedSample
from napari_simpleclick.inference.predictor import Predictor
from napari_simpleclick.types import Click, Sample
from tests import golden


def closed_form(image, prev_mask, points):
    """The recordings' stand-in for a network: distances to the clicks."""
    batch, _, height, width = image.shape
    rows = np.arange(height, dtype=np.float32)[:, None] - points[..., 0, None, None]
    cols = np.arange(width, dtype=np.float32) - points[..., 1, None, None]
    distance = np.hypot(rows, cols)
    distance[points[..., 2] < 0] = 1e6
    nearest = distance.reshape(batch, 2, -1, height, width).min(axis=2)
    positive, negative = np.split(nearest, 2, axis=1)
    brightness = image.mean(1, keepdims=True)
    pull = 3 - positive / 12 - 3 * np.exp(-negative / 10)
    return pull + 0.5 * prev_mask + brightness


@pytest.mark.parametrize("run", range(5))
def test_evaluation_agrees_with_the_recorded_one(run):
    recorded = {
        key.removesuffix(f"_{run}"): value
        for key, value in golden.load("zoom_in_evaluation.npz").items()
        if key.endswith(f"_{run}")
    }
    height, width = recorded["shape"]
    mask = np.unpackbits(recorded["gt"])[: height * width].reshape(height, width)
    rng = np.random.Generator(np.random.Philox(key=int(recorded["image_seed"])))
    image = (rng.random((height, width, 3), np.float32) * 255).astype(np.uint8)
    predictor = Predictor(
        closed_form, input_size=int(recorded["target"]), flip=bool(recorded["flip"])
    )
    answers = []
    result = evaluate_sample(
        predictor,
        Sample("recorded", image, mask.astype(bool)),
        progress=lambda sample, click, prediction, iou: answers.append(prediction),
    )
    clicks = [(c.row, c.col, c.is_positive) for c in result.clicks]
    np.testing.assert_array_equal(clicks, recorded["clicks"])
    np.testing.assert_array_equal([a.roi for a in answers], recorded["rois"])
    probabilities = [a.probability[::8, ::8] for a in answers]
    np.testing.assert_allclose(probabilities, recorded["probs_stride8"], atol=2e-5)
    np.testing.assert_allclose(result.ious, recorded["ious"], atol=1e-7)


def constant(logit: float) -> Predictor:
    def model(image, prev_mask, points):
        return np.full((1, 1, *image.shape[2:]), logit, np.float32)

    return Predictor(model, input_size=16)


def sample(name: str = "half") -> Sample:
    mask = np.zeros((20, 30), dtype=bool)
    mask[:, :15] = True
    return Sample(name, np.zeros((20, 30), dtype=np.uint8), mask)


def test_every_click_is_made_and_reported():
    seen = []
    result = evaluate_sample(
        constant(5), sample(), 4, lambda s, c, p, i: seen.append((s.name, c, i))
    )
    assert result.ious.tolist() == [0.5] * 4
    assert result.ious.dtype == np.float32
    assert [c.is_positive for c in result.clicks] == [True, False, False, False]
    assert seen == [("half", c, 0.5) for c in result.clicks]
    assert len(set(result.clicks)) == 4


def test_a_perfect_prediction_does_not_stop_the_clicks():
    full = Sample("full", np.zeros((5, 5), np.uint8), np.ones((5, 5), dtype=bool))
    result = evaluate_sample(constant(5), full, 3)
    assert result.ious.tolist() == [1, 1, 1]
    assert result.clicks[1:] == (Click(0, 0, is_positive=False),) * 2


def test_threshold_of_the_predictor_makes_the_masks():
    logit = float(np.log(0.495 / 0.505))
    assert evaluate_sample(constant(logit), sample(), 1).ious == [0.5]
    logit = float(np.log(0.485 / 0.515))
    assert evaluate_sample(constant(logit), sample(), 1).ious == [0]


def test_results_come_one_by_one():
    taken = []

    def samples():
        for name in "abc":
            taken.append(name)
            yield sample(name)

    results = evaluate_dataset(constant(5), samples(), 2)
    assert taken == []
    assert next(results).name == "a"
    assert taken == ["a"]
    assert [r.name for r in results] == ["b", "c"]


def test_outlines_are_measured_after_the_last_click():
    half = sample()
    known = AnnotatedSample(half.name, half.image, half.mask, pixel_size=(1, 2))
    assert evaluate_sample(constant(5), known, 1).boundary_iou < 0.7
    assert evaluate_sample(constant(5), known, 1).surface_mm > 0
    assert np.isnan(evaluate_sample(constant(5), half, 1).surface_mm)
    assert evaluate_sample(constant(-5), known, 1).surface_mm == np.inf


def test_no_click_is_refused():
    with pytest.raises(ValueError, match="max_clicks: 0"):
        evaluate_sample(constant(5), sample(), 0)
