import numpy as np
import pytest
import torch

from napari_simpleclick.evaluation.lockstep import Request, predict_together, stack
from napari_simpleclick.evaluation.run import evaluate_dataset
from napari_simpleclick.evaluation.samples import AnnotatedSample
from napari_simpleclick.inference.predictor import Predictor
from napari_simpleclick.inference.transforms import CropInputs
from napari_simpleclick.modeling.config import SimpleClickConfig
from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager
from napari_simpleclick.modeling.simpleclick import SimpleClick
from napari_simpleclick.types import Click, Prediction, Sample
from tests.evaluation.test_run import closed_form


def blobs(n: int) -> list[Sample]:
    """Images of different sizes, each with two boxes that are one object."""
    rng = np.random.default_rng(3)
    samples = []
    for i in range(n):
        shape = (60 + 7 * i, 90 - 5 * i)
        mask = np.zeros(shape, dtype=bool)
        mask[10 : 30 + i, 5:25] = mask[40:50, 30 + i : 50] = True
        image = rng.integers(0, 256, shape, dtype=np.uint8)
        samples.append(Sample(f"{i}/1", image, mask))
    return samples


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("second_look", "glance", "flood"),
    [(False, 0, False), (True, 0, False), (True, 0, True), (True, 73, True)],
)
def test_a_batch_gives_the_results_of_one_at_a_time(flip, second_look, glance, flood):
    predictor = Predictor(
        closed_form,
        input_size=64 if glance == 0 else 96,
        flip=flip,
        second_look=second_look,
        glance_size=glance,
        flood=flood,
    )
    alone = list(evaluate_dataset(predictor, blobs(5), 6))
    together = list(evaluate_dataset(predictor, blobs(5), 6, batch_size=3))
    assert [r.name for r in together] == [r.name for r in alone]
    for one, other in zip(alone, together, strict=True):
        assert one.clicks == other.clicks
        np.testing.assert_array_equal(one.ious, other.ious)
    assert len({r.clicks for r in alone}) == 5


def test_a_network_answers_a_batch_as_it_answers_each():
    torch.manual_seed(0)
    config = SimpleClickConfig(
        image_size=64,
        embed_dim=16,
        depth=4,
        num_heads=2,
        neck_dims=(4, 8, 8, 8),
        head_dim=8,
    )
    network = TorchEager(SimpleClick(config).eval())
    predictor = Predictor(network, input_size=64, flip=True)
    clicks = [Click(12, 9), Click(45, 40), Click(2, 3, is_positive=False)]
    requests = [
        Request(sample.image, clicks[: i + 1], None)
        for i, sample in enumerate(blobs(3))
    ]
    together = predict_together(predictor, requests)
    for request, answer in zip(requests, together, strict=True):
        expected = predictor.predict(*request)
        assert answer.roi == expected.roi
        np.testing.assert_allclose(answer.probability, expected.probability, atol=1e-5)


def test_points_are_padded_within_each_sign():
    def crop(points):
        blank = np.zeros((1, 1, 4, 4), np.float32)
        return CropInputs(blank, blank, np.array([points], np.float32))

    short = crop([[1, 1, 0], [-1, -1, -1]])
    long = crop([[2, 2, 0], [-1, -1, -1], [3, 3, 1], [4, 4, 2]])
    points = stack([short, long]).points
    assert points[0].tolist() == [[1, 1, 0], [-1] * 3, [-1] * 3, [-1] * 3]
    assert points[1].tolist() == long.points[0].tolist()


class Oracle:
    """A method without a network: it answers with what it was told."""

    threshold = 0.5

    def __init__(self, mask):
        self.mask = mask

    def predict(self, image, clicks, previous=None):
        return Prediction(self.mask.astype(np.float32))


def test_other_methods_are_asked_one_by_one():
    samples = [Sample(f"{i}/1", s.image, s.mask) for i, s in enumerate(blobs(1) * 2)]
    results = list(evaluate_dataset(Oracle(samples[0].mask), samples, 2, batch_size=2))
    assert [r.ious.tolist() for r in results] == [[1, 1], [1, 1]]


def test_ignored_pixels_are_neither_counted_nor_clicked():
    mask = np.zeros((6, 9), dtype=bool)
    mask[:, :3] = True
    ignored = np.zeros_like(mask)
    ignored[:, 3:6] = True
    image = np.zeros(mask.shape, np.uint8)
    seen = AnnotatedSample("a/1", image, mask, ignored)
    (result,) = evaluate_dataset(Oracle(mask | ignored), [seen], 3)
    assert result.ious.tolist() == [1, 1, 1]
    (result,) = evaluate_dataset(Oracle(np.ones_like(mask)), [seen], 2)
    assert result.ious.tolist() == [0.5, 0.5]
    assert result.clicks[1].col >= 6


def test_empty_batches_are_refused():
    with pytest.raises(ValueError, match="batch_size: 0"):
        next(evaluate_dataset(Oracle(None), [], batch_size=0))
