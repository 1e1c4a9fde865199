import json
import math

import numpy as np
import pytest

from napari_simpleclick.evaluation.models import EvaluatedModel
from napari_simpleclick.evaluation.report import report
from napari_simpleclick.evaluation.run import SampleResult
from napari_simpleclick.evaluation.samples import Dataset
from napari_simpleclick.evaluation.study import Study
from napari_simpleclick.types import Click


def result(name, *ious, seconds=0.0, surface=math.nan):
    clicks = tuple(Click(0, k) for k in range(len(ious)))
    return SampleResult(name, np.array(ious, np.float32), clicks, seconds, 0.5, surface)


@pytest.fixture
def document(tmp_path):
    models = tuple(
        EvaluatedModel(name, None, sha) for name, sha in (("a", "0f"), ("b", None))
    )
    study = Study(Dataset("ssTEM", ()), models, tmp_path, {"max_clicks": 2}, 2)
    results = {
        "a": [
            result("x/1", 0.5, 0.9, seconds=1, surface=2),
            result("x/2", 0.8, 0.8, seconds=2, surface=math.inf),
            result("y/1", 0.2, 0.25, seconds=3),
        ],
        "b": [result("x/1", 1, 1)],
    }
    return report(study, results)


def test_figures_by_hand(document):
    assert (document["n_images"], document["n_objects"]) == (2, 3)
    assert document["miou_at"] == {"1": 0.5, "2": 0.65}
    assert document["noc"] == {
        "80": pytest.approx(5 / 3),
        "85": 2,
        "90": 2,
        "95": 2,
    }
    assert document["failures"] == {"80": 1, "85": 2, "90": 2, "95": 3}
    assert document["seconds_per_click"] == 1
    assert document["objects_per_second"] == 0.5
    assert (document["boundary_iou"], document["surface_mm"]) == (0.5, 2)
    assert document["models"][1]["surface_mm"] is None


def test_volumes_are_told_by_dice(tmp_path):
    dataset = Dataset("volume", (), "dice")
    models = (EvaluatedModel("a", None),)
    study = Study(dataset, models, tmp_path, {}, 2)
    results = {"a": [result("v/1", 0.25, 0.7), result("w/1", 0.5, 0.9)]}
    document = report(study, results)
    assert document["measure"] == "dice"
    assert document["miou_at"] == {"1": 0.375, "2": pytest.approx(0.8)}
    # 2 IoU / (1 + IoU): 0.4 and 0.667, then 0.824 and 0.947.
    assert document["dice_at"] == {
        "1": pytest.approx(8 / 15),
        "2": pytest.approx((1.4 / 1.7 + 1.8 / 1.9) / 2),
    }
    assert document["failures"] == {"80": 0, "85": 1, "90": 1, "95": 2}
    assert document["dice_at_interval"]["1"] == [
        pytest.approx(0.4),
        pytest.approx(2 / 3),
    ]


def test_intervals_hold_the_mean(document):
    for measure in ("miou_at", "noc"):
        for key, value in document[measure].items():
            low, high = document[f"{measure}_interval"][key]
            assert low <= value <= high
    # Two images, drawn whole: the ends are the means of each alone.
    assert document["miou_at_interval"]["1"] == [
        pytest.approx(0.2),
        pytest.approx(0.65),
    ]


def test_models_stand_side_by_side_and_the_first_on_top(document):
    assert [model["model"] for model in document["models"]] == ["a", "b"]
    assert document["checkpoint_sha256"] == document["models"][0]["checkpoint_sha256"]
    assert document["models"][1]["checkpoint_sha256"] is None
    assert document["models"][1]["objects_per_second"] is None


def test_published_figures_are_marked_as_such(document):
    published = document["published"]
    assert published["measured_here"] is False
    assert "ICCV 2023" in published["source"]
    assert {figure["at"] for figure in published["figures"]} == {10}


def test_all_that_figures_depend_on_is_there(document):
    assert document["settings"] == {
        "max_clicks": 2,
        "batch_size": 1,
        "cluster": None,
    }
    assert {"napari-simpleclick", "python", "torch"} <= document["versions"].keys()
    assert document["machine"]["cores"] >= 1
    assert json.loads(json.dumps(document)) == document
