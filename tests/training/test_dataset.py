import numpy as np
import pytest
import torch

from napari_simpleclick.training.dataset import CanvasDataset
from napari_simpleclick.training.labelled_volume import LabelledVolume


def test_canvases_depend_on_seed_and_number_alone() -> None:
    labels = np.zeros((1, 60, 60), np.uint8)
    labels[0, 20:40, 20:40] = 1
    volumes = [
        LabelledVolume("real", 100 * labels, labels),
        LabelledVolume("map", None, labels),
    ]
    dataset = CanvasDataset(volumes, size=48, seed=3)
    for number in range(8):
        image, mask = dataset[number]
        again = CanvasDataset(volumes, size=48, seed=3)[number]
        assert torch.equal(image, again[0])
        assert torch.equal(mask, again[1])
        assert mask.any()
    assert not torch.equal(image, CanvasDataset(volumes, size=48, seed=4)[7][0])


def test_a_share_beyond_all_is_refused() -> None:
    with pytest.raises(ValueError, match=r"real_fraction: 2, expected"):
        CanvasDataset(real_fraction=2)
