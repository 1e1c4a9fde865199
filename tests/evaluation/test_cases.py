import numpy as np

from napari_simpleclick.evaluation.cases import draw_cases, surroundings
from napari_simpleclick.evaluation.models import EvaluatedModel
from napari_simpleclick.evaluation.run import evaluate_dataset
from napari_simpleclick.types import Click, Roi
from tests.evaluation.test_study import Disks, dataset


def test_surroundings_hold_mask_and_clicks_with_a_margin():
    mask = np.zeros((400, 400), dtype=bool)
    mask[100:201, 150:171] = True
    assert surroundings(mask, []) == Roi(74, 225, 84, 235)
    assert surroundings(mask, [Click(100, 250)]).col_max >= 250


def test_surroundings_stay_within_the_image():
    mask = np.zeros((20, 90), dtype=bool)
    mask[0, 0] = True
    assert surroundings(mask, []) == Roi(0, 19, 0, 32)


def test_worst_and_best_are_told_apart(tmp_path):
    model = EvaluatedModel("m", Disks(4))
    results = list(evaluate_dataset(model.predictor, dataset(), 2))
    worst, best = draw_cases(dataset(), model, results, tmp_path / "cases")
    assert len(worst) == len(best) == 3
    names = [case.name for case in (*worst, *reversed(best))]
    ious = [case.iou for case in (*worst, *reversed(best))]
    assert ious == sorted(ious)
    assert set(names) == {result.name for result in results}
    assert all(case.picture.is_file() and case.n_clicks == 2 for case in worst + best)


def test_one_object_is_the_worst_and_none_the_best(tmp_path):
    model = EvaluatedModel("m", Disks(4))
    results = list(evaluate_dataset(model.predictor, dataset(1), 1))[:1]
    worst, best = draw_cases(dataset(1), model, results, tmp_path)
    assert ([case.name for case in worst], best) == (["im0/1"], ())
