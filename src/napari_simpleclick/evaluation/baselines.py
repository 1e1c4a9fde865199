"""Methods without a network, behind the interface of one: what clicks alone can do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from skimage import color, draw, filters, segmentation, transform

from napari_simpleclick.inference.intensity import to_display
from napari_simpleclick.inference.transforms import clicked_pixel
from napari_simpleclick.types import Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.types import Click

OBJECT: Final = 1
BACKGROUND: Final = 2


def seeds(
    clicks: Sequence[Click], shape: tuple[int, int], radius: float = 3
) -> NDArray[np.uint8]:
    """Mark the pixels that clicks tell, a disk round each.

    Until there is a negative click, the frame of the image is background, for these
    methods need both; positive disks go over it.

    Parameters
    ----------
    clicks : sequence of Click
        In pixels of the image; later ones go over earlier ones.
    shape : tuple of int
        Height and width of the image, in pixels.
    radius : float
        Of the disks, in pixels.

    Returns
    -------
    ndarray
        (H, W), uint8: `OBJECT`, `BACKGROUND`, or 0 where nothing is known.
    """
    marks = np.zeros(shape, np.uint8)
    if all(click.is_positive for click in clicks):
        marks[[0, -1], :] = marks[:, [0, -1]] = BACKGROUND
    for click in clicks:
        disk = draw.disk(clicked_pixel(click), radius + 0.5, shape=shape)
        marks[disk] = OBJECT if click.is_positive else BACKGROUND
    return marks


@dataclass(frozen=True, slots=True)
class RandomWalker:
    """Which seed a random walker from each pixel reaches first.

    Parameters
    ----------
    threshold : float
        Probability in [0, 1] above which a pixel counts as object.
    beta : float
        How much edges hinder the walker; the default is scikit-image's.
    max_side : int
        Larger images are brought to this side, in pixels, and the answer back.

    References
    ----------
    Grady, Random Walks for Image Segmentation, IEEE TPAMI 2006.
    """

    threshold: float = 0.5
    beta: float = 130
    max_side: int = 256

    def predict(
        self,
        image: NDArray[np.generic],
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> Prediction:
        """Predict as `ClickPredictor.predict` says; `previous` is not used."""
        shape = image.shape[:2]
        scale = min(1, self.max_side / max(shape))
        size = max(round(scale * shape[0]), 1), max(round(scale * shape[1]), 1)
        near = [_scaled(click, size, shape) for click in clicks]
        marks = seeds(near, size, radius=3 * scale)
        if (decided := _decided(marks)) is None:
            decided = self._walk(transform.resize(_grey(image), size), marks)
        back = transform.resize(decided.probability, shape, order=1)
        return Prediction(back.astype(np.float32, copy=False))

    def _walk(self, grey: NDArray[np.floating], marks: NDArray[np.uint8]) -> Prediction:
        probabilities = segmentation.random_walker(
            grey, marks, beta=self.beta, mode="cg_j", return_full_prob=True, prob_tol=1
        )
        return Prediction(probabilities[0].clip(0, 1).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Watershed:
    """Floods the gradient of the image from the seeds.

    Parameters
    ----------
    threshold : float
        Any value in (0, 1): the answer is certain.

    References
    ----------
    Beucher and Meyer, The Morphological Approach to Segmentation, 1993.
    """

    threshold: float = 0.5

    def predict(
        self,
        image: NDArray[np.generic],
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> Prediction:
        """Predict as `ClickPredictor.predict` says; `previous` is not used."""
        marks = seeds(clicks, image.shape[:2])
        flooded = segmentation.watershed(filters.sobel(_grey(image)), marks)
        return _certain(flooded == OBJECT)


@dataclass(frozen=True, slots=True)
class GrabCut:
    """OpenCV's GrabCut: colour models of both sides, and a cut between them.

    Parameters
    ----------
    cv2 : module
        OpenCV.
    threshold : float
        Any value in (0, 1): the answer is certain.
    n_rounds : int
        Rounds of fitting and cutting.

    References
    ----------
    Rother et al., GrabCut, ACM Transactions on Graphics 2004.
    """

    cv2: Any
    threshold: float = 0.5
    n_rounds: int = 5

    def predict(
        self,
        image: NDArray[np.generic],
        clicks: Sequence[Click],
        previous: Prediction | None = None,
    ) -> Prediction:
        """Predict as `ClickPredictor.predict` says; `previous` is not used."""
        cv2, marks = self.cv2, seeds(clicks, image.shape[:2])
        if (decided := _decided(marks)) is not None:
            return decided
        choices = np.array([cv2.GC_PR_BGD, cv2.GC_FGD, cv2.GC_BGD], np.uint8)
        grey = image.ndim == 2
        colour = np.repeat(image[..., None], 3, axis=2) if grey else image
        shown = np.ascontiguousarray(
            colour if colour.dtype == np.uint8 else to_display(colour)
        )
        mask, models = choices[marks], np.zeros((2, 1, 65))
        cv2.setRNGSeed(0)
        cv2.grabCut(shown, mask, None, *models, self.n_rounds, cv2.GC_INIT_WITH_MASK)
        return _certain((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))


def _open_grabcut() -> GrabCut:
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            "grabcut needs OpenCV: pip install opencv-python-headless"
        ) from error
    return GrabCut(cv2)


BASELINES: Final[Mapping[str, Callable[[], ClickPredictor]]] = MappingProxyType(
    {"random-walker": RandomWalker, "watershed": Watershed, "grabcut": _open_grabcut}
)
"""By the name that `open_model` takes."""


def _grey(image: NDArray[np.generic]) -> NDArray[np.floating]:
    """Brightness, (H, W), float, in [0, 1]."""
    unit = np.divide(image, 255 if image.dtype == np.uint8 else 1, dtype=np.float32)
    grey: NDArray[np.floating] = color.rgb2gray(unit) if unit.ndim == 3 else unit
    return grey


def _scaled(click: Click, size: tuple[int, int], shape: tuple[int, int]) -> Click:
    """Move a click to the same place of an image of another size."""
    row, col = (
        (position + 0.5) * new / old - 0.5
        for position, new, old in zip((click.row, click.col), size, shape, strict=True)
    )
    return replace(click, row=row, col=col)


def _decided(marks: NDArray[np.uint8]) -> Prediction | None:
    """Answer where a side has no seed, so all is the other's, or nothing is open."""
    sides = np.unique(marks[marks != 0])
    if len(sides) == 1:
        return _certain(np.full(marks.shape, sides[0] == OBJECT))
    return _certain(marks == OBJECT) if marks.all() else None


def _certain(mask: NDArray[np.bool_]) -> Prediction:
    return Prediction(mask.astype(np.float32))
