"""Stable regions: what stands out of a real image, as objects that nobody labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.morphology import isotropic_opening
from skimage.segmentation import expand_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_simpleclick.training.label_maps import Labels

SMALLEST, LARGEST = 48, 0.25
"""Area of a region: in pixels, and as a share of the image."""

STEP = 0.07
"""Between two thresholds, as a share of the image's range of intensities."""

WIDEST_EDGE = 1.6
"""Pixels by which a region may grow from one threshold to the next but one."""

EDGE = 3
"""Pixels that an outline may move by to lie on an edge."""

MOST_CUT = 0.2
"""Share of a region's outline that may lie on the edge of the image."""


def stable_regions(rng: np.random.Generator, image: NDArray[np.float32]) -> Labels:
    """Find regions, all darker or all brighter than what is around them.

    They are the connected components below a threshold that neither grow much nor merge
    when it rises, so each has a sharp edge all around. Organelles, vessels, cavities
    and bones are found in this way in images that have no labels for them.

    Parameters
    ----------
    rng : Generator
        Source of all randomness.
    image : ndarray
        (H, W), float32.

    Returns
    -------
    ndarray
        (H, W), int32: 0 is background, every other value one region; often none.

    References
    ----------
    Matas, Chum, Urban, Pajdla, Robust wide-baseline stereo from maximally stable
    extremal regions, BMVC 2002, at a single, random threshold.
    """
    image = image if rng.random() < 0.6 else -image
    smooth = ndimage.gaussian_filter(image, rng.uniform(0.8, 2.5))
    low, high = np.quantile(smooth, [0.01, 0.99])
    step = STEP * (high - low)
    threshold = low + (high - low) * rng.uniform(0.1, 0.75)
    radius = rng.choice([0.0, 1.5, 3.0, 5.0])
    smaller, level, larger = (
        isotropic_opening(smooth < threshold + shift, radius)
        for shift in (-step, 0, step)
    )
    pieces, count = ndimage.label(level)
    grown, _ = ndimage.label(larger)
    place = np.arange(count + 1)
    area = np.bincount(pieces.ravel(), minlength=count + 1)
    core = np.bincount(pieces[smaller], minlength=count + 1)
    around = np.zeros(count + 1, int)
    around[pieces[level]] = grown[level]
    reached = np.bincount(grown.ravel())[around]
    outline = np.bincount(pieces[level & ~_inner(level)], minlength=count + 1)
    cut = np.bincount(pieces[~_inner(np.ones_like(level))], minlength=count + 1)
    is_stable = (area >= SMALLEST) & (area <= LARGEST * image.size) & (place > 0)
    is_stable &= reached - core <= WIDEST_EDGE * outline
    is_stable &= cut <= MOST_CUT * outline
    return _up_to_edges(np.where(is_stable, place, 0)[pieces].astype(np.int32), image)


def _up_to_edges(labels: Labels, image: NDArray[np.float32]) -> Labels:
    """Move outlines to where the image is half-way between inside and outside."""
    if not labels.any():
        return labels
    image = ndimage.gaussian_filter(image, 0.7)
    near = expand_labels(labels, EDGE)
    beyond = np.where(near == 0, expand_labels(labels, 2 * EDGE), 0)
    inside = np.where(_inner(labels > 0), labels, 0)
    present = np.unique(labels[labels > 0])
    half = np.full(labels.max() + 1, -np.inf, np.float32)
    half[present] = [
        (np.median(image[inside == one]) + np.median(image[beyond == one])) / 2
        if (inside == one).any() and (beyond == one).any()
        else -np.inf
        for one in present
    ]
    moved = np.where(image < half[near], near, 0)
    pieces, count = ndimage.label(moved)
    kept = np.zeros(count + 1, bool)
    kept[pieces[inside > 0]] = True
    result: Labels = np.where(kept[pieces], moved, 0)
    return result


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    inner: NDArray[np.bool_] = ndimage.binary_erosion(mask)
    return inner
