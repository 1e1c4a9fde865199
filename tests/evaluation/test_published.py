import pytest

from napari_simpleclick.evaluation.datasets import DATASETS
from napari_simpleclick.evaluation.published import published_figures


def value(dataset, method, training_data, measure, at):
    (found,) = (
        figure.value
        for figure in published_figures(dataset)
        if (figure.method, figure.training_data) == (method, training_data)
        and (figure.measure, figure.at) == (measure, at)
    )
    return found


def test_figures_are_those_of_the_paper():
    best = "SimpleClick ViT-H", "COCO+LVIS"
    assert value("SBD", *best, "noc", 90) == 4.70
    assert value("PascalVOC", "CDNet ResNet-34", "SBD", "noc", 85) == 3.61
    assert value("BraTS", "SimpleClick-ViT-H", "COCO+LVIS", "miou", 20) == 0.91
    assert value("ssTEM", "RITM-H32", "COCO+LVIS", "miou", 10) == 0.9411


def test_volumes_are_compared_with_the_slices_of_their_data_set():
    assert published_figures("BraTS_volumes") == published_figures("BraTS")
    assert published_figures("OAIZIB_volumes")


def test_what_papers_leave_out_is_left_out():
    assert published_figures("folder") == ()
    sbd = [f for f in published_figures("SBD") if f.method == "SimpleClick ViT-xTiny"]
    assert [(f.at, f.value) for f in sbd] == [(85, 4.71), (90, 7.09)]
    names = {f.dataset for name in DATASETS for f in published_figures(name)}
    assert names == {
        "ssTEM",
        "BraTS",
        "OAIZIB",
        "GrabCut",
        "Berkeley",
        "SBD",
        "DAVIS",
        "PascalVOC",
    }


@pytest.mark.parametrize("name", ["RITM", "FocalClick", "CDNet", "SimpleClick"])
def test_methods_of_every_kind_are_there(name):
    for dataset in ("BraTS", "SBD"):
        assert any(f.method.startswith(name) for f in published_figures(dataset))
