import pytest

from napari_simpleclick.training.config import TrainConfig
from napari_simpleclick.training.schedule import learning_rate, progress


def test_learning_rate_rises_then_follows_a_cosine() -> None:
    config = TrainConfig(
        steps=1100, warmup_steps=100, learning_rate=1.0, final_rate=0.1
    )
    assert learning_rate(config, 0) == pytest.approx(0.01)
    assert learning_rate(config, 99) == pytest.approx(1)
    assert learning_rate(config, 600) == pytest.approx(0.55)
    assert learning_rate(config, 1100) == pytest.approx(0.1)


def test_learning_rate_steps_down_at_milestones() -> None:
    config = TrainConfig(
        schedule="step", learning_rate=1.0, warmup_steps=0, milestones=(50, 55)
    )
    rates = [learning_rate(config, step) for step in (0, 49, 50, 54, 55, 9999)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_the_cosine_ends_when_the_time_is_up() -> None:
    config = TrainConfig(
        steps=1000, warmup_steps=0, learning_rate=1.0, final_rate=0.0, minutes=10
    )
    assert learning_rate(config, 10, 300) == pytest.approx(0.5)
    assert learning_rate(config, 20, 600) == pytest.approx(0)
    assert learning_rate(config, 20, 700) == pytest.approx(0)
    assert learning_rate(config, 1000, 60) == pytest.approx(0)


def test_progress_is_the_larger_of_steps_and_time() -> None:
    config = TrainConfig(steps=100, minutes=1)
    assert progress(config, 50, 0) == pytest.approx(0.5)
    assert progress(config, 50, 45) == pytest.approx(0.75)
    assert progress(config, 5, 90) == 1
