"""Predictor: from an image and clicks to a probability map, as a pure function."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from scipy.special import expit

from napari_simpleclick.inference.corrections import OBEYED, corrected, radius_in
from napari_simpleclick.inference.crops import crop_prediction, crop_unit_rgb, fill_box
from napari_simpleclick.inference.flip import add_flipped, merge_flipped
from napari_simpleclick.inference.flooding import doubled, flooded
from napari_simpleclick.inference.input_checks import (
    check_clicks,
    check_image,
    check_previous,
)
from napari_simpleclick.inference.transforms import (
    CropInputs,
    ZoomIn,
    crop_clicks,
    whole,
)
from napari_simpleclick.types import Click, Prediction, Roi

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.types import Floats


GLANCED: Final = 8 / 7
"""Sides of an image over those of the input that it is first looked at in, at most."""


class ClickModel(Protocol):
    """Any network, of any kind and runtime, that turns clicks on a crop into logits."""

    def __call__(self, image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        """Return float32 logits of the object, (B, 1, S, S), for a `CropInputs`."""
        ...


@dataclass(frozen=True)
class Predictor:
    """Runs a click model on the part of an image that matters.

    It keeps nothing between calls: the crop and the mask that the next click builds
    on travel in the `Prediction`. So one predictor serves many images and threads.

    Parameters
    ----------
    model : ClickModel
        The network, ready to compute.
    input_size : int
        Side of the square that every crop is resized to, in pixels.
    flip : bool
        Average the logits with those of the mirrored crop; twice the time.
    zoom_in : ZoomIn or None
        How to choose the crop; None always takes the whole image.
    second_look : bool
        Answer a first click by two passes: over the whole image, and over the crop that
        the first answer zooms in to. It makes up for the detail that a small object
        lacks in the first pass.
    glance_size : int
        Side of the input of the first of these passes, in pixels, for images that it
        shows whole without losing much: those with sides of up to `GLANCED` times it.
        It takes less time, and such images, enlarged, look like none that a network
        has learned from. 0 for `input_size`.
    glance_model : ClickModel or None
        The network for inputs of that size, where `model` takes no other than its own.
    flood : bool
        Mix the first of these answers with floodings of the image from the click, see
        `inference.flooding`.
    exact_clicks : bool
        Draw clicks where the crop shows their pixels, see `crop_clicks`.
    obey : bool
        Give clicked pixels the clicked class even where the model errs, and what is
        around them the more readily, see `inference.reach`.
    steady : bool
        Let late clicks change little of what is far from them, see
        `inference.steadiness`.
    threshold : float
        In [0, 1]; the probability above which a pixel counts as object.

    References
    ----------
    Liu et al., SimpleClick: Interactive Image Segmentation with Simple Vision
    Transformers, ICCV 2023; 448 and 0.49 are the published evaluation's values.
    Sofiiuk et al., Reviving Iterative Training with Mask Guidance for Interactive
    Segmentation, 2021: the previous mask as an input, and the order of the transforms.
    """

    model: ClickModel
    _: KW_ONLY
    input_size: int = 448
    flip: bool = False
    zoom_in: ZoomIn | None = field(default_factory=ZoomIn)
    second_look: bool = False
    glance_size: int = 0
    glance_model: ClickModel | None = None
    flood: bool = False
    exact_clicks: bool = False
    obey: bool = False
    steady: bool = False
    threshold: float = 0.49

    def __post_init__(self) -> None:
        if self.input_size < 1:
            raise ValueError(f"input_size: {self.input_size}, expected at least 1")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold: {self.threshold}, expected 0 to 1")

    def predict(
        self,
        image: NDArray[np.generic],
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> Prediction:
        """Predict the object that the clicks point at.

        Parameters
        ----------
        image : ndarray
            (H, W) or (H, W, 3), uint8, or float32 in [0, 1].
        clicks : sequence of Click
            All clicks so far, in the order in which they were made, at least one.
        previous : Prediction or None
            The prediction before the last click. One without a roi, such as a mask
            drawn by hand, is a starting mask; None starts afresh.

        Returns
        -------
        Prediction
            Probability at each pixel of the image, 0 outside the crop, and the crop.

        Raises
        ------
        TypeError
            If an array has a dtype other than the above.
        ValueError
            If an array has another shape or range, if there is no click, or if a click
            or the previous crop lies outside the image.
        """
        if self.looks_again(previous):
            glance = self._pass(image, clicks, None, is_glance=True)
            previous = self.for_second_look(glance, image, clicks)
        return self._pass(image, clicks, previous)

    def looks_again(self, previous: Prediction | None) -> bool:
        """Tell whether the answer to a click gets a second pass, see `second_look`.

        Parameters
        ----------
        previous : Prediction or None
            The prediction before the click.
        """
        return self.second_look and self.zoom_in is not None and previous is None

    def for_second_look(
        self,
        glance: Prediction,
        image: NDArray[np.generic],
        clicks: Sequence[Click],
    ) -> Prediction:
        """Turn the answer of the first of two passes into the input of the second.

        Parameters
        ----------
        glance : Prediction
            The answer, of a pass over the whole image.
        image, clicks
            As for `predict`.
        """
        if not self.flood:
            return glance
        crop = self._roi(image.shape[:2], clicks, glance)
        return flooded(glance, image, clicks, crop, self.threshold)

    def encode(
        self,
        image: NDArray[np.generic],
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> tuple[CropInputs, Roi]:
        """Prepare what the model sees; the first half of a pass.

        Parameters
        ----------
        image, clicks, previous
            As for `predict`.

        Returns
        -------
        inputs : CropInputs
            One crop, or with `flip` two.
        roi : Roi
            The crop's box.
        """
        check_image(image)
        check_clicks(clicks, image.shape[:2])
        if previous is not None:
            check_previous(previous, image.shape[:2])
        roi = self._roi(image.shape[:2], clicks, previous)
        size = self._input_size(image.shape[:2], previous)
        inputs = CropInputs(
            np.ascontiguousarray(crop_unit_rgb(image, roi, size)[None]),
            self._prev_mask(roi, previous, size),
            crop_clicks(clicks, roi, size, exact=self.exact_clicks)[None],
        )
        return (add_flipped(inputs) if self.flip else inputs), roi

    def compute(self, inputs: CropInputs) -> NDArray[np.float32]:
        """Let the network answer what `encode` prepared: logits (B, 1, S, S)."""
        is_own = inputs.image.shape[-1] == self.input_size
        model = self.model if is_own else self.glance_model or self.model
        return model(*inputs)

    def decode(
        self,
        logits: NDArray[np.float32],
        roi: Roi,
        shape: tuple[int, int],
        clicks: Sequence[Click] = (),
        previous: Prediction | None = None,
        *,
        is_glance: bool = False,
    ) -> Prediction:
        """Turn the model's answer into a prediction; the second half of a pass.

        Parameters
        ----------
        logits : ndarray
            (1, 1, S, S), or with `flip` (2, 1, S, S): the answer to `encode`'s inputs.
        roi : Roi
            The crop's box.
        shape : tuple of int
            Height and width of the image, in pixels.
        clicks : sequence of Click
            The clicks to obey.
        previous : Prediction or None
            The prediction before the last click.
        is_glance : bool
            Whether it only serves a second look, see `second_look`: then what that
            cannot need is left 0.

        Returns
        -------
        Prediction
            For the whole image.
        """
        if self.flip:
            logits = merge_flipped(logits)
        crop: NDArray[np.float32] = expit(logits[0, 0])
        box = roi
        if is_glance and self.zoom_in is not None:
            radius = radius_in(roi, OBEYED)
            box = self.zoom_in.surroundings(crop, roi, clicks, radius)
            box = doubled(box, shape) if self.flood else box
        return corrected(
            Prediction(fill_box(crop, roi, box), roi, box=box, shape=shape),
            clicks,
            previous,
            obey=self.obey,
            steady=self.steady,
            threshold=self.threshold,
        )

    def _pass(
        self,
        image: NDArray[np.generic],
        clicks: Sequence[Click],
        previous: Prediction | None,
        *,
        is_glance: bool = False,
    ) -> Prediction:
        inputs, roi = self.encode(image, clicks, previous)
        logits, shape = self.compute(inputs), image.shape[:2]
        return self.decode(logits, roi, shape, clicks, previous, is_glance=is_glance)

    def _roi(
        self,
        shape: tuple[int, int],
        clicks: Sequence[Click],
        previous: Prediction | None,
    ) -> Roi:
        if self.zoom_in is None or previous is None:
            return whole(shape)
        return self.zoom_in.roi(shape, clicks, previous)

    def _input_size(self, shape: tuple[int, int], previous: Prediction | None) -> int:
        """Return the side of the input of the next pass over an image."""
        is_glanced = max(shape) <= GLANCED * self.glance_size
        if is_glanced and self.looks_again(previous):
            return min(self.glance_size, self.input_size)
        return self.input_size

    def _prev_mask(
        self, roi: Roi, previous: Prediction | None, size: int
    ) -> NDArray[np.float32]:
        if previous is None:
            return np.zeros((1, 1, size, size), dtype=np.float32)
        return crop_prediction(previous, roi, size)[None, None]
