"""The public data sets of slices: where their files lie and what their objects are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_simpleclick.evaluation import annotation_files as files
from napari_simpleclick.evaluation import object_rules as rules
from napari_simpleclick.evaluation.samples import AnnotatedSample, Dataset, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from napari_simpleclick.evaluation.object_rules import ObjectRule

_PNG: Final = (".png",)
_PICTURES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a data set of images and masks of equal stems lies in its folder.

    Parameters
    ----------
    images, masks : str
        Folders below the root.
    objects : callable
        A rule of `object_rules`.
    image_suffixes, mask_suffixes : tuple of str
        Files with other suffixes, and hidden ones, are passed over.
    read_mask : callable
        Reader of `annotation_files`.
    listing : str or None
        Text file below the root that names the stems to take, one a line; None takes
        every image.
    """

    images: str
    masks: str
    objects: ObjectRule
    image_suffixes: tuple[str, ...] = _PICTURES
    mask_suffixes: tuple[str, ...] = _PICTURES
    read_mask: Callable[[Path], NDArray[np.generic]] = field(
        default=files.read_brightness
    )
    listing: str | None = None

    def __str__(self) -> str:
        listed = f", and {self.listing} with their stems" if self.listing else ""
        return (
            f"{self.images}/*{{{','.join(self.image_suffixes)}}} and "
            f"{self.masks}/*{{{','.join(self.mask_suffixes)}}} of equal stems{listed}"
        )


LAYOUTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {
        "folder": Layout(
            "images",
            "masks",
            rules.each_label,
            (".png", ".tif", ".tiff"),
            (".png", ".tif", ".tiff"),
            files.read_labels,
        ),
        "ssTEM": Layout(
            "raw", "mitochondria", rules.each_component, (".tif", ".tiff"), _PNG
        ),
        "BraTS": Layout("image", "annotation", rules.one_object, _PNG, _PNG),
        "OAIZIB": Layout(
            "test/image", "test/annotations", rules.each_label, _PNG, _PNG
        ),
        "GrabCut": Layout("data_GT", "boundary_GT", rules.certain_part),
        "Berkeley": Layout("images", "masks", rules.certain_part),
        "DAVIS": Layout("img", "gt", rules.one_object),
        "COCO_MVal": Layout("img", "gt", rules.bright_half),
        "SBD": Layout(
            "img",
            "inst",
            rules.each_label,
            (".jpg",),
            (".mat",),
            files.read_sbd,
            "val.txt",
        ),
        "PascalVOC": Layout(
            "JPEGImages",
            "SegmentationObject",
            rules.within_borders,
            (".jpg",),
            _PNG,
            files.read_palette,
            "ImageSets/Segmentation/val.txt",
        ),
    }
)
"""By name. The layouts, and the objects of each, are those that the published figures
were measured on: isegm/data/datasets of uncbiag/SimpleClick and of
SamsungLabs/ritm_interactive_segmentation. Pascal VOC is read by palette index, which
tells the same objects apart as the grey levels there."""


def open_layout(name: str, root: str | Path) -> Dataset:
    """List a data set of `LAYOUTS`; files are read as they are reached.

    Parameters
    ----------
    name : str
        A key of `LAYOUTS`.
    root : str or Path
        The folder.

    Returns
    -------
    Dataset
        By stem, then by label; the name of a sample is "stem/label". While reading, a
        TypeError or ValueError says which mask cannot be used, and why.

    Raises
    ------
    FileNotFoundError
        If a folder or the listing is missing.
    ValueError
        If there is no image, an image has no mask, or two files have one stem.
    """
    layout, root = LAYOUTS[name], Path(root)
    images = _by_stem(root, layout.images, layout.image_suffixes, layout)
    masks = _by_stem(root, layout.masks, layout.mask_suffixes, layout)
    stems = _listed(root, layout) if layout.listing else sorted(images)
    alone = [stem for stem in stems if stem not in images or stem not in masks]
    if not stems or alone:
        raise ValueError(
            f"path: {root} has {len(images)} images, {len(masks)} masks, unmatched "
            f"stems {alone[:5]}, expected {layout}"
        )
    return Dataset(
        name,
        tuple(
            Source(stem, partial(_samples, stem, images[stem], masks[stem], layout))
            for stem in stems
        ),
    )


def _by_stem(
    root: Path, folder: str, suffixes: tuple[str, ...], layout: Layout
) -> dict[str, Path]:
    if not (root / folder).is_dir():
        raise FileNotFoundError(f"{root} has no folder {folder}; expected {layout}")
    return files.by_stem(root / folder, suffixes)


def _listed(root: Path, layout: Layout) -> list[str]:
    listing = root / str(layout.listing)
    if not listing.is_file():
        raise FileNotFoundError(f"{root} has no {layout.listing}; expected {layout}")
    return listing.read_text(encoding="utf-8").split()


def _samples(
    stem: str, image_file: Path, mask_file: Path, layout: Layout
) -> Iterator[AnnotatedSample]:
    image, mask = files.read_image(image_file), layout.read_mask(mask_file)
    if mask.shape != image.shape[:2]:
        raise ValueError(f"{mask_file}: shape {mask.shape}, expected {image.shape[:2]}")
    labels, ignored = layout.objects(mask)
    for label in np.unique(labels[labels != 0]):
        yield AnnotatedSample(f"{stem}/{label:d}", image, labels == label, ignored)
