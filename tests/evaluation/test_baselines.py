import sys

import numpy as np
import pytest

from napari_simpleclick.evaluation.baselines import (
    BACKGROUND,
    BASELINES,
    OBJECT,
    seeds,
)
from napari_simpleclick.evaluation.metrics import iou
from napari_simpleclick.evaluation.models import open_model
from napari_simpleclick.evaluation.run import evaluate_sample
from napari_simpleclick.types import Click, Sample

NAMES = sorted(BASELINES)


def sample() -> Sample:
    mask = np.zeros((60, 80), dtype=bool)
    mask[15:45, 20:50] = True
    noise = np.random.default_rng(0).normal(0, 6, mask.shape)
    image = (np.where(mask, 170, 80) + noise).astype(np.uint8)
    return Sample("box/1", image, mask)


def test_seeds_are_disks_on_a_frame_of_background():
    marks = seeds([Click(5, 0)], (11, 12), radius=1)
    rows, cols = np.nonzero(marks == OBJECT)
    assert (set(rows), set(cols), len(rows)) == ({4, 5, 6}, {0, 1}, 6)
    assert (marks == BACKGROUND).sum() == 2 * 12 + 2 * 9 - 3


def test_a_negative_click_takes_the_place_of_the_frame():
    clicks = [Click(5, 5), Click(5, 6, is_positive=False)]
    marks = seeds(clicks, (11, 12), radius=1)
    assert (marks == BACKGROUND).sum() == 9
    assert (marks == OBJECT).sum() == 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["grey", "colour", "float"])
def test_a_bright_box_takes_two_clicks(name, kind):
    box = sample()
    image = {
        "grey": box.image,
        "colour": np.dstack([box.image] * 3),
        "float": (box.image / 255).astype(np.float32),
    }[kind]
    predictor = open_model(name).predictor
    clicks = [Click(30, 35), Click(5, 70, is_positive=False)]
    prediction = predictor.predict(image, clicks)
    assert prediction.probability.dtype == np.float32
    assert iou(prediction.mask(predictor.threshold), box.mask) > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_every_course_of_clicks_is_answered(name):
    full = Sample("full/1", sample().image, np.ones((60, 80), dtype=bool))
    for each in (sample(), full):
        result = evaluate_sample(open_model(name).predictor, each, 4)
        assert np.isfinite(result.ious).all()


@pytest.mark.parametrize("name", NAMES)
def test_all_belongs_to_the_only_side_with_a_seed(name):
    predictor = open_model(name).predictor
    no = predictor.predict(sample().image, [Click(3, 3, is_positive=False)])
    assert no.probability.max() == 0
    yes = predictor.predict(np.zeros((5, 5), np.uint8), [Click(2, 2)])
    assert yes.probability.min() == 1


def test_missing_opencv_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match="pip install opencv-python-headless"):
        open_model("grabcut")


def test_baselines_have_no_checkpoint():
    model = open_model("watershed")
    assert (model.name, model.sha256) == ("watershed", None)
