import json
from dataclasses import replace

import numpy as np
import pytest

from napari_simpleclick.evaluation.models import EvaluatedModel
from napari_simpleclick.evaluation.samples import Dataset, Source
from napari_simpleclick.evaluation.study import Study
from napari_simpleclick.types import Prediction, Sample


class Disks:
    """A method that draws a disk round every positive click."""

    threshold = 0.5

    def __init__(self, radius, patience=10**9):
        self.radius, self.patience = radius, patience
        self.n_calls = 0

    def predict(self, image, clicks, previous=None):
        self.n_calls += 1
        if self.n_calls > self.patience:
            raise KeyboardInterrupt
        rows, cols = np.indices(image.shape[:2])
        near = [
            np.hypot(rows - click.row, cols - click.col) <= self.radius
            for click in clicks
            if click.is_positive
        ]
        return Prediction(np.any(near, axis=0).astype(np.float32))


def dataset(n_images=3):
    def read(stem, size):
        image = np.full((30, 40), 50, np.uint8)
        for label, start in ((1, 2), (2, 20)):
            mask = np.zeros(image.shape, dtype=bool)
            mask[5 : 5 + size, start : start + size] = True
            yield Sample(f"{stem}/{label}", image, mask)

    return Dataset(
        "boxes",
        tuple(
            Source(f"im{i}", lambda i=i: read(f"im{i}", 6 + 2 * i))
            for i in range(n_images)
        ),
    )


def study(output, *models, **options):
    return Study(dataset(), models, output, {"dataset": "boxes"}, 3, **options)


def rows(output):
    return (output / "objects.csv").read_text().splitlines()


def test_every_object_of_every_model_is_measured(tmp_path):
    models = EvaluatedModel("small", Disks(3)), EvaluatedModel("large", Disks(6))
    results = study(tmp_path / "out", *models).run()
    names = [f"im{i}/{label}" for i in range(3) for label in (1, 2)]
    assert [r.name for r in results["small"]] == names
    assert [r.name for r in results["large"]] == names
    assert len(rows(tmp_path / "out")) == 1 + 12
    assert not np.array_equal(results["small"][0].ious, results["large"][0].ious)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, batch_size):
    once = study(tmp_path / "once", EvaluatedModel("m", Disks(4))).run()["m"]
    impatient = EvaluatedModel("m", Disks(4, patience=3 * 4 + 1))
    with pytest.raises(KeyboardInterrupt):
        study(tmp_path / "twice", impatient, batch_size=batch_size).run()
    assert len(rows(tmp_path / "twice")) == 1 + 4
    rest = Disks(4)
    model = EvaluatedModel("m", rest)
    twice = study(tmp_path / "twice", model, batch_size=batch_size).run()["m"]
    assert rest.n_calls == 3 * 2
    assert [r.name for r in twice] == [r.name for r in once]
    for one, other in zip(once, twice, strict=True):
        assert one.clicks == other.clicks
        np.testing.assert_array_equal(one.ious, other.ious)


def test_objects_that_are_gone_do_not_count(tmp_path, capsys):
    whole = study(tmp_path, EvaluatedModel("m", Disks(4)))
    whole.run()
    part = replace(whole, dataset=dataset(2))
    names = ["im0/1", "im0/2", "im1/1", "im1/2"]
    assert [r.name for r in part.run()["m"]] == names
    assert "objects=4" in capsys.readouterr().err.split("\r")[-1]
    assert [row.split(",")[1] for row in rows(tmp_path)[1:]] == names
    with pytest.raises(ValueError, match="empty has no object"):
        replace(whole, dataset=Dataset("empty", ())).run()


def test_models_can_be_added_but_not_exchanged(tmp_path):
    study(tmp_path, EvaluatedModel("m", Disks(4), "aa")).run()
    study(tmp_path, EvaluatedModel("n", Disks(5), "bb")).run()
    assert json.loads((tmp_path / "run.json").read_text())["models"] == {
        "m": "aa",
        "n": "bb",
    }
    with pytest.raises(ValueError, match="model m = 'aa', expected 'cc'"):
        study(tmp_path, EvaluatedModel("m", Disks(4), "cc")).run()


def test_results_of_other_settings_are_left_alone(tmp_path):
    first = study(tmp_path, EvaluatedModel("m", Disks(4)))
    first.run()
    before = rows(tmp_path)
    with pytest.raises(ValueError, match=r"settings dataset = 'boxes', expected 'x'"):
        replace(first, settings={"dataset": "x"}).run()
    assert rows(tmp_path) == before


def test_a_run_without_results_does_not_hold_its_folder(tmp_path):
    first = study(tmp_path, EvaluatedModel("m", Disks(4, patience=0)))
    with pytest.raises(KeyboardInterrupt):
        first.run()
    other = EvaluatedModel("m", Disks(4), "aa")
    Study(dataset(), (other,), tmp_path, {"dataset": "x"}, 5).run()
    assert len(rows(tmp_path)) == 7


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"settings": 1, "models": 2}'])
def test_results_of_unknown_settings_are_left_alone(tmp_path, text):
    first = study(tmp_path, EvaluatedModel("m", Disks(4)))
    first.run()
    before = rows(tmp_path)
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError, match=r"run\.json does not tell the settings"):
        first.run()
    assert rows(tmp_path) == before


def test_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "run.json").write_text('{"engine": "diesel"}')
    with pytest.raises(ValueError, match=r"run\.json does not tell the settings"):
        study(tmp_path, EvaluatedModel("m", Disks(4))).run()
    assert "diesel" in (tmp_path / "run.json").read_text()


def test_studies_without_sense_are_refused(tmp_path):
    model = EvaluatedModel("m", Disks(4))
    with pytest.raises(ValueError, match="names \\['m', 'm'\\]"):
        study(tmp_path, model, model)
    with pytest.raises(ValueError, match="empty has no object"):
        replace(study(tmp_path, model), dataset=Dataset("empty", ())).run()


def test_the_bar_tells_images_and_objects(tmp_path, capsys):
    study(tmp_path, EvaluatedModel("m", Disks(4))).run()
    last = capsys.readouterr().err.split("\r")[-1]
    assert last.startswith("m: 100%")
    assert "3/3" in last
    assert "objects=6" in last


def test_objects_of_a_single_source_are_counted(tmp_path, capsys):
    volume = replace(study(tmp_path, EvaluatedModel("m", Disks(4))), dataset=dataset(1))
    volume.run()
    assert "2/2" in capsys.readouterr().err.split("\r")[-1]
    volume.run()
    assert "2/2" in capsys.readouterr().err.split("\r")[-1]
