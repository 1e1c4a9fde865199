"""Many objects through the network at once, each answer as if it were alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_simpleclick.inference.predictor import Predictor
from napari_simpleclick.inference.transforms import CropInputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.types import Click, Prediction


class Request(NamedTuple):
    """The arguments of one call of `ClickPredictor.predict`."""

    image: NDArray[np.generic]
    clicks: Sequence[Click]
    previous: Prediction | None


def predict_together(
    predictor: ClickPredictor, requests: Sequence[Request]
) -> list[Prediction]:
    """Predict several objects, on one image or on many.

    Parameters
    ----------
    predictor : ClickPredictor
        A `Predictor` sees all crops as one batch; any other method, one by one.
    requests : sequence of Request
        At least one.

    Returns
    -------
    list of Prediction
        One for each request: what `predict` would answer, up to the rounding that
        differs between batch sizes.
    """
    if not isinstance(predictor, Predictor) or len(requests) == 1:
        return [predictor.predict(*request) for request in requests]
    answers = _pass(predictor, requests)
    again = [i for i, one in enumerate(requests) if predictor.looks_again(one.previous)]
    closer = [_closer(predictor, requests[i], answers[i]) for i in again]
    for i, answer in zip(again, _pass(predictor, closer) if again else (), strict=True):
        answers[i] = answer
    return answers


def _closer(predictor: Predictor, request: Request, glance: Prediction) -> Request:
    previous = predictor.for_second_look(glance, request.image, request.clicks)
    return request._replace(previous=previous)


def _pass(predictor: Predictor, requests: Sequence[Request]) -> list[Prediction]:
    encoded = [predictor.encode(*request) for request in requests]
    answers = _compute(predictor, [inputs for inputs, _ in encoded])
    return [
        predictor.decode(
            answer, roi, request.image.shape[:2], request.clicks, request.previous
        )
        for answer, (_, roi), request in zip(answers, encoded, requests, strict=True)
    ]


def _compute(
    predictor: Predictor, inputs: Sequence[CropInputs]
) -> list[NDArray[np.float32]]:
    """Answer crops of any sizes, those of one size together."""
    places = defaultdict(list)
    for place, each in enumerate(inputs):
        places[each.image.shape[-1]].append(place)
    answers: dict[int, NDArray[np.float32]] = {}
    for group in places.values():
        logits = predictor.compute(stack([inputs[place] for place in group]))
        parts = np.split(logits, len(group))  # each with as many crops
        answers |= zip(group, parts, strict=True)
    return [answers[place] for place in range(len(inputs))]


def stack(inputs: Sequence[CropInputs]) -> CropInputs:
    """Join batches of crops of one size; points are padded to the longest list.

    Parameters
    ----------
    inputs : sequence of CropInputs
        With n_1, n_2, ... points of each sign.

    Returns
    -------
    CropInputs
        With max(n_1, n_2, ...) points of each sign.
    """
    longest = max(each.points.shape[1] // 2 for each in inputs)
    return CropInputs(
        np.concatenate([each.image for each in inputs]),
        np.concatenate([each.prev_mask for each in inputs]),
        np.concatenate([_padded(each.points, longest) for each in inputs]),
    )


def _padded(points: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """Lengthen positive and negative rows of (B, 2m, 3) to (B, 2n, 3) by -1."""
    signs = points.reshape(len(points), 2, -1, 3)
    missing = ((0, 0), (0, 0), (0, n - signs.shape[2]), (0, 0))
    return np.pad(signs, missing, constant_values=-1).reshape(len(points), 2 * n, 3)
