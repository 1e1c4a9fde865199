"""The cache forgets what was not used for longest, and never the newest."""

from __future__ import annotations

import numpy as np

from napari_simpleclick.inference.prediction_cache import PredictionCache
from napari_simpleclick.types import Prediction


def prediction(pixels: int = 4) -> Prediction:
    return Prediction(np.zeros((1, pixels), np.float32))


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache = PredictionCache(max_bytes=2 * 16)
    first, second, third = prediction(), prediction(), prediction()
    cache.put("first", first)
    cache.put("second", second)
    assert cache.get("first") is first
    cache.put("third", third)
    assert cache.get("second") is None
    assert cache.get("first") is first
    assert cache.get("third") is third


def test_the_newest_is_kept_even_if_it_is_too_large() -> None:
    cache = PredictionCache(max_bytes=16)
    large = prediction(100)
    cache.put("small", prediction())
    cache.put("large", large)
    assert cache.get("small") is None
    assert cache.get("large") is large


def test_replacing_counts_once() -> None:
    cache = PredictionCache(max_bytes=2 * 16)
    kept = prediction()
    cache.put("kept", kept)
    for _ in range(5):
        cache.put("again", prediction())
    assert cache.get("kept") is kept


def test_what_is_forgotten_takes_no_space() -> None:
    cache = PredictionCache(max_bytes=2 * 16)
    kept = prediction()
    cache.put("stale", prediction())
    cache.put("kept", kept)
    cache.forget(lambda key: key == "stale")
    cache.put("new", prediction())
    assert cache.get("stale") is None
    assert cache.get("kept") is kept
