"""Cells of the table on report.html."""

import numpy as np
import pytest

from napari_simpleclick.evaluation.models import EvaluatedModel
from napari_simpleclick.evaluation.page import page
from napari_simpleclick.evaluation.report import report
from napari_simpleclick.evaluation.run import SampleResult
from napari_simpleclick.evaluation.samples import Dataset
from napari_simpleclick.evaluation.study import Study
from napari_simpleclick.types import Click


@pytest.fixture
def lay_out(tmp_path):
    def lay_out(*results, measure="iou"):
        curves = tmp_path / "curves.svg"
        curves.write_text("<?xml?><svg></svg>")
        dataset = Dataset("volume", (), measure)
        settings = {"root": str(tmp_path / "scans")}
        study = Study(dataset, (EvaluatedModel("m", None),), tmp_path, settings)
        return page(report(study, {"m": list(results)}), curves, {})

    return lay_out


def result(name, rim=0.5, surface=float("nan")):
    ious = np.array([0.25, 0.5], np.float32)
    return SampleResult(name, ious, (Click(0, 0),) * 2, 1.0, rim, surface)


@pytest.mark.parametrize(
    ("millimetres", "written"),
    [
        (0, "0&nbsp;mm"),
        (1.5, "1.5&nbsp;mm"),
        (4e-4, "0.4&nbsp;&micro;m"),
        (2.5e-6, "2.5&nbsp;nm"),
    ],
)
def test_surfaces_have_a_fitting_unit(lay_out, millimetres, written):
    html = lay_out(result("a/1", surface=millimetres))
    assert "<th>surface</th>" in html
    assert f"<td>{written}</td>" in html


def test_what_no_model_has_is_no_column(lay_out):
    html = lay_out(result("a/1", rim=float("nan")), measure="dice")
    assert "<th>surface</th>" not in html
    assert "boundary IoU" not in html
    assert "<th>mean Dice @1 (%)</th>" in html
    assert "<td>50.0</td>" in lay_out(result("a/1")), "boundary IoU in percent"


def test_one_image_has_no_interval(lay_out):
    interval = "<small>25.0&ndash;25.0</small>"
    assert interval in lay_out(result("a/1"), result("b/1"))
    assert interval not in lay_out(result("a/1"), result("a/2"))


def test_volumes_go_by_the_name_of_their_folder(lay_out):
    html = lay_out(result("a/1"))
    assert "<h1>Interactive segmentation of scans (volume)</h1>" in html
