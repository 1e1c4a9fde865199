import pytest

from napari_simpleclick.evaluation.cases import draw_cases
from napari_simpleclick.evaluation.models import EvaluatedModel
from napari_simpleclick.evaluation.run import evaluate_dataset
from napari_simpleclick.evaluation.samples import Dataset, Source
from napari_simpleclick.evaluation.volume_run import evaluate_any
from tests.evaluation.test_study import Disks, dataset
from tests.evaluation.test_volume_run import Bright, sample


def test_worst_and_best_are_told_apart(tmp_path):
    model = EvaluatedModel("m", Disks(4))
    results = list(evaluate_dataset(model.predictor, dataset(), 2))
    worst, best = draw_cases(dataset(), model, results, tmp_path / "cases")
    assert len(worst) == len(best) == 3
    names = [case.name for case in (*worst, *reversed(best))]
    ious = [case.score for case in (*worst, *reversed(best))]
    assert ious == sorted(ious)
    assert set(names) == {result.name for result in results}
    assert all(case.picture.is_file() and case.n_clicks == 2 for case in worst + best)


def test_one_object_is_the_worst_and_none_the_best(tmp_path):
    model = EvaluatedModel("m", Disks(4))
    results = list(evaluate_dataset(model.predictor, dataset(1), 1))[:1]
    worst, best = draw_cases(dataset(1), model, results, tmp_path)
    assert ([case.name for case in worst], best) == (["im0/1"], ())


def test_every_click_is_told_and_one_may_stop(tmp_path):
    model = EvaluatedModel("m", Disks(4))
    results = list(evaluate_dataset(model.predictor, dataset(), 2))
    told = []
    draw_cases(dataset(), model, results, tmp_path, lambda *each: told.append(each))
    assert sorted(set(told)) == [(click, 12) for click in range(1, 13)]
    assert told == sorted(told)

    def stop(clicks, all_clicks):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_cases(dataset(), model, results, tmp_path / "stopped", stop)
    assert list((tmp_path / "stopped").iterdir()) == []


def test_objects_that_are_gone_are_left_out(tmp_path):
    model = EvaluatedModel("m", Disks(4))
    results = list(evaluate_dataset(model.predictor, dataset(), 2))
    worst, best = draw_cases(dataset(1), model, results, tmp_path)
    assert {case.name for case in worst + best} == {"im0/1", "im0/2"}


def test_volumes_are_scored_by_dice_and_show_a_slice(tmp_path):
    source = Source("v", lambda: [sample(slices=range(2, 21, 4))])
    volumes = Dataset("volume", (source,), "dice")
    model = EvaluatedModel("m", Bright())
    (result,) = evaluate_any(model.predictor, volumes, 2)
    (case,), none = draw_cases(volumes, model, [result], tmp_path)
    assert none == ()
    iou = float(result.ious[-1])
    assert case.score == pytest.approx(2 * iou / (1 + iou), rel=1e-6)
    assert case.index in {click.index for click in result.clicks}
    assert case.slice_dice == 1
    assert case.picture.is_file()
