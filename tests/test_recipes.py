"""Every configuration in configs/ can be read, and the recipes are the paper's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from napari_simpleclick.training.config import TrainConfig

FOLDER = Path(__file__).parent.parent / "configs"
RECIPES = sorted(FOLDER.glob("simpleclick-*.toml"))


def test_there_are_recipes_for_both_data_sets_and_three_variants() -> None:
    names = {path.stem for path in RECIPES}
    for variant in ("base", "large", "huge"):
        for data in ("cocolvis", "sbd"):
            assert f"simpleclick-{variant}-{data}-55" in names
    assert "simpleclick-base-cocolvis-230" in names


def test_every_configuration_can_be_read() -> None:
    for path in FOLDER.glob("*.toml"):
        TrainConfig.from_toml(path)


@pytest.mark.parametrize("path", RECIPES, ids=[path.stem for path in RECIPES])
def test_a_recipe_says_what_its_name_does(path: Path) -> None:
    _, variant, data, epochs = path.stem.split("-")
    config = TrainConfig.from_toml(path)
    assert config.variant == variant
    assert config.epochs == int(epochs)
    assert f"vit_{variant}" in str(config.pretrained)
    (source,) = config.sources
    assert source.kind == {"cocolvis": "coco-lvis", "sbd": "sbd"}[data]
    assert source.path == FOLDER / source.kind
    assert (config.clicks, config.max_points, config.rounds) == ("iterative", 24, 3)
    assert config.pyramid == "simple"


@pytest.mark.parametrize("path", RECIPES, ids=[path.stem for path in RECIPES])
def test_the_paper_batch_makes_the_steps(path: Path) -> None:
    config = TrainConfig.from_toml(path)
    batch = {"base": 140, "large": 72, "huge": 32}[config.variant]
    assert config.devices * config.batch_sizes[0] == batch
    assert config.epochs is not None
    assert config.samples_per_epoch is not None
    whole = config.in_steps(config.devices)
    assert whole.steps == pytest.approx(
        config.epochs * config.samples_per_epoch / batch, abs=1
    )
    first = config.milestones[0] * config.samples_per_epoch / batch
    assert whole.milestones[0] == pytest.approx(first, abs=1)
    single = re.search(r"batch_sizes = \[(\d+)\]\.", path.read_text(encoding="utf-8"))
    assert single is not None
    assert int(single[1]) == batch


def test_the_recipe_for_medical_images_can_be_read() -> None:
    config = TrainConfig.from_toml(FOLDER / "xtiny-medical.toml")
    assert [source.kind for source in config.sources] == [
        "pack",
        "regions",
        "painted",
        "synthetic",
    ]
    assert config.sources[0].path == FOLDER / "pack.npz"
    assert config.validation == FOLDER / "held_out"
    assert config.variant == "xtiny"
