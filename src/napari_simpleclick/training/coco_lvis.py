"""COCO+LVIS: photographs of COCO with the objects of LVIS and of COCO together."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_simpleclick.evaluation.annotation_files import read_image
from napari_simpleclick.training.coco_masks import decode_mask
from napari_simpleclick.training.grey import to_grey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_simpleclick.training.coco_masks import Mask
    from napari_simpleclick.training.slices import Slice

LVIS_FILE = "annotations/lvis_v1_{split}.json"
COCO_FILE = "annotations/instances_{split}2017.json"
EXPECTED = (
    "train2017/ID.jpg and val2017/ID.jpg, annotations/lvis_v1_train.json and, for the "
    "objects that LVIS leaves out, annotations/instances_train2017.json and "
    "instances_val2017.json"
)

SAME_OBJECT = 0.8
"""IoU from which an object of COCO is one that LVIS has too, as RITM combines them."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """One image and its objects.

    Parameters
    ----------
    file : Path
        The image, (H, W, 3) or (H, W).
    lvis, coco : bytes
        The "segmentation" of every object: JSON, compressed, as the whole of LVIS would
        take gigabytes as Python objects.
    """

    file: Path
    lvis: bytes
    coco: bytes

    def objects(self, shape: tuple[int, int]) -> list[Mask]:
        """Return every object, (H, W) bool: those of LVIS, and what COCO adds."""
        try:
            masks, more = (
                [decode_mask(one, shape) for one in json.loads(zlib.decompress(data))]
                for data in (self.lvis, self.coco)
            )
        except ValueError as error:
            raise ValueError(f"{self.file}: {error}") from error
        return masks + [mask for mask in more if not _is_among(mask, masks)]


class CocoLvisSlices:
    """Photographs of COCO, with their objects as label maps.

    Objects may lie in one another, and a label map holds one object a pixel: smaller
    objects are laid over larger ones, and one, chosen at random, over all the others,
    so that it is whole.

    Parameters
    ----------
    root : Path
        The folder, laid out as `EXPECTED` says. COCO's own annotations may be missing.
    split : str
        "train" or "val" of LVIS, whose training split has images of both folders.

    Raises
    ------
    FileNotFoundError
        If the images or the annotations of LVIS are missing.
    ValueError
        If the annotations have another form.

    References
    ----------
    Gupta, Dollar, Girshick, LVIS, CVPR 2019. The combination: Sofiiuk, Petrov,
    Konushin, Reviving Iterative Training with Mask Guidance for Interactive
    Segmentation, ICIP 2022, section 4; they hand it out as pickled files, which are not
    read here.
    """

    def __init__(self, root: Path, split: str = "train") -> None:
        self.photographs = _list_photographs(root, split)

    def draw(self, rng: np.random.Generator) -> Slice:
        """Read a photograph, in grey, and lay its objects into one label map."""
        photograph = self.photographs[rng.integers(len(self.photographs))]
        image = to_grey(read_image(photograph.file))
        shape = (image.shape[0], image.shape[1])
        masks = photograph.objects(shape)
        return image.astype(np.float32) / np.float32(255), lay(rng, masks, shape)


def lay(
    rng: np.random.Generator, masks: list[Mask], shape: tuple[int, int]
) -> NDArray[np.int32]:
    """Lay masks into one label map: the largest first, one of them whole on top."""
    labels = np.zeros(shape, np.int32)
    order = sorted(range(len(masks)), key=lambda index: -np.count_nonzero(masks[index]))
    if order:
        order.append(order.pop(int(rng.integers(len(order)))))
    for label, index in enumerate(order, 1):
        labels[masks[index]] = label
    return labels


def _list_photographs(root: Path, split: str) -> list[Photograph]:
    path = root / LVIS_FILE.format(split=split)
    lvis = _read(path)
    objects = _by_image(lvis, path)
    coco: dict[int, list[object]] = {}
    for part in ("train", "val"):
        file = root / COCO_FILE.format(split=part)
        if file.is_file():
            coco |= _by_image(_read(file), file)
    photographs = [
        Photograph(
            _file(root, entry, path), _small(objects[number]), _small(coco.get(number))
        )
        for entry in _entries(lvis, "images", path)
        if (number := entry["id"]) in objects
    ]
    if not photographs:
        raise ValueError(f"{path} has no annotated image; expected {EXPECTED}")
    if not photographs[0].file.is_file():
        raise FileNotFoundError(f"no image {photographs[0].file}; expected {EXPECTED}")
    return photographs


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; expected {EXPECTED}")
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is no JSON file: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f'{path}: expected "images" and "annotations"')
    return content


def _entries(
    content: Mapping[str, Any], name: str, path: Path
) -> Iterable[dict[str, Any]]:
    entries = content.get(name)
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise ValueError(f'{path}: expected "images" and "annotations", lists of both')
    return entries


def _by_image(content: Mapping[str, Any], path: Path) -> dict[int, list[object]]:
    """Group the segmentations by image; crowds, which are no objects, are left out."""
    objects: dict[int, list[object]] = {}
    for entry in _entries(content, "annotations", path):
        if "image_id" not in entry or "segmentation" not in entry:
            raise ValueError(
                f'{path}: expected "image_id" and "segmentation" in every annotation'
            )
        if not entry.get("iscrowd"):
            objects.setdefault(entry["image_id"], []).append(entry["segmentation"])
    return objects


def _file(root: Path, entry: Mapping[str, Any], path: Path) -> Path:
    """Find the image; LVIS names it by its address, .../train2017/000000391895.jpg."""
    match entry:
        case {"coco_url": str(address)} if address.count("/") > 1:
            return root.joinpath(*address.split("/")[-2:])
    raise ValueError(f'{path}: expected "coco_url" in every image, as LVIS v1 has it')


def _small(segmentations: list[object] | None) -> bytes:
    return zlib.compress(json.dumps(segmentations or []).encode(), 1)


def _is_among(mask: Mask, others: list[Mask]) -> bool:
    """Whether a mask is one of the others, or next to it."""
    area = np.count_nonzero(mask)
    for other in others:
        overlap = np.count_nonzero(mask & other)
        if overlap >= SAME_OBJECT * (area + np.count_nonzero(other) - overlap):
            return True
    return False
