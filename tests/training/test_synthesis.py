import numpy as np
import pytest

from napari_simpleclick.training import label_maps
from napari_simpleclick.training.noise import correlated_noise, smooth_noise
from napari_simpleclick.training.synthesis import paint, synthetic_slice

MAKERS = (
    "cells",
    "blobs",
    "spots",
    "organs",
    "tubes",
    "vessels",
    "walls",
    "level_sets",
)


@pytest.mark.parametrize("name", MAKERS)
def test_every_kind_of_map_has_objects_and_background(name: str) -> None:
    make = getattr(label_maps, name)
    maps = [make(np.random.default_rng(seed), 96) for seed in range(6)]
    assert all(labels.shape == (96, 96) for labels in maps)
    assert all(labels.min() >= 0 for labels in maps)
    assert sum(labels.max() > 0 for labels in maps) >= 5
    assert any((labels == 0).any() for labels in maps)


def test_same_seed_same_slice_other_seed_another() -> None:
    first, again, other = (
        synthetic_slice(np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0].shape != other[0].shape or (first[0] != other[0]).any()


def test_membranes_part_all_cells_where_they_are_drawn() -> None:
    # Grow each cell by a pixel: with a membrane between, no two cells meet.
    for seed in range(20):
        labels = label_maps.cells(np.random.default_rng(seed), 96)
        down = (labels[1:] != labels[:-1]) & (labels[1:] > 0) & (labels[:-1] > 0)
        if (labels == 0).any() and not down.any():
            return
    pytest.fail("no mosaic with membranes in twenty")


def test_edges_between_by_hand() -> None:
    labels = np.array([[0, 0, 1], [0, 2, 1]])
    np.testing.assert_array_equal(
        label_maps.edges_between(labels), [[0, 0, 1], [0, 1, 1]]
    )


def test_painted_objects_can_be_told_from_the_background() -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[16:48, 16:48] = 1
    contrasts = []
    for seed in range(40):
        image = paint(np.random.default_rng(seed), labels)
        inside, outside = image[24:40, 24:40], image[:8]
        contrasts.append(abs(inside.mean() - outside.mean()))
    assert image.dtype == np.float32
    assert np.median(contrasts) > 0.15


@pytest.mark.parametrize("cells", [2, 10, 64])
def test_noise_has_unit_spread_and_the_asked_scale(cells: int) -> None:
    rng = np.random.default_rng(0)
    fields = np.stack([smooth_noise(rng, 64, cells) for _ in range(50)])
    assert fields.std() == pytest.approx(1, abs=0.25)
    assert fields.mean() == pytest.approx(0, abs=0.25)
    steps = np.abs(np.diff(fields, axis=1)).mean()
    assert (steps < 0.3) == (cells < 20)


def test_textures_differ_but_stay_in_range() -> None:
    rng = np.random.default_rng(0)
    fields = np.stack([correlated_noise(rng, 48) for _ in range(40)])
    assert 0.7 < fields.std() < 1.3
