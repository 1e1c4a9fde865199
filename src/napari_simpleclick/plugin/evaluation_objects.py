"""Which objects of a ground truth are evaluated, and each of them as a sample."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from napari_simpleclick.evaluation.samples import AnnotatedSample
from napari_simpleclick.inference.transforms import whole
from napari_simpleclick.plugin.packed_mask import PackedMask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_simpleclick.inference.plane import Plane
    from napari_simpleclick.plugin.image_layer import RawSlice

T = TypeVar("T")

AUTO_SLICES: Final = 16
"""Slices that are taken where the user does not say which."""


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """What the user asks of an evaluation.

    Parameters
    ----------
    max_clicks : int
        Clicks on each object.
    axis : int or None
        Axis of the image that is sliced, one of its last three; None for slices as the
        viewer displays them.
    every : int or None
        Every n-th slice, the first one included; None for `AUTO_SLICES` of those that
        hold objects to be taken, spread evenly.
    min_area : int
        Pixels that an object must have on a slice to be taken.
    max_objects : int
        Where there are more, this many are taken, spread evenly.
    """

    max_clicks: int = 20
    axis: int | None = None
    every: int | None = None
    min_area: int = 20
    max_objects: int = 30


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedImage:
    """An image with its ground truth, as a thread may read them: no napari object.

    Parameters
    ----------
    name : str
        The image's.
    raw : RawSlice
        Any slice; all are read with its contrast limits and gamma.
    labels : array-like
        Of the image's shape, integer or bool: 0 is background, every other value an
        object. Only slices are read.
    planes : tuple of Plane
        The slices, in order.
    pixel_size : tuple of float or None
        Height and width of a pixel in millimetres, None where they are not known.
    """

    name: str
    raw: RawSlice
    labels: Any
    planes: tuple[Plane, ...]
    pixel_size: tuple[float, float] | None = None

    def image_on(self, plane: Plane) -> NDArray[np.uint8]:
        """Return a slice as displayed: (H, W) or (H, W, 3), uint8."""
        return replace(self.raw, plane=plane).read()

    def labels_on(self, plane: Plane) -> NDArray[np.generic]:
        """Return the labels of a slice: (H, W), integer or bool."""
        return np.asarray(self.labels[plane.index])


@dataclass(frozen=True, slots=True, eq=False)
class SliceObject:
    """An object on a slice, as it was when it was chosen.

    Parameters
    ----------
    plane : Plane
        The slice.
    label : int
        Its value in the ground truth.
    truth : PackedMask
        Where it is.
    """

    plane: Plane
    label: int
    truth: PackedMask

    @property
    def slice_name(self) -> str:
        """Index of the slice, one number for each axis that is fixed."""
        return ",".join(str(i) for i in self.plane.position if i is not None)

    def name(self, image: str) -> str:
        """Name of the sample: image, slice and label."""
        return "/".join(filter(None, (image, self.slice_name, str(self.label))))


def find_objects(
    annotated: AnnotatedImage, settings: EvaluationSettings, check: Callable[[], None]
) -> list[SliceObject]:
    """Choose the objects to evaluate, slice by slice.

    Parameters
    ----------
    annotated : AnnotatedImage
        Where they lie.
    settings : EvaluationSettings
        Which are wanted.
    check : callable
        Called before a slice is read, which may take a while; may raise to stop.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = []
    for plane in annotated.planes[:: settings.every or 1]:
        check()
        labels = annotated.labels_on(plane)
        values, areas = np.unique(labels[labels != 0], return_counts=True)
        chosen = values[areas >= settings.min_area]
        if len(chosen):
            found.append([(plane, int(value)) for value in chosen])
    if settings.every is None:
        found = spread(found, AUTO_SLICES)
    taken = _taken(annotated, spread([*chain(*found)], settings.max_objects))
    if not taken:
        which = "" if settings.every is None else f" on one slice in {settings.every}"
        pixels = f"{settings.min_area} pixel{'s' * (settings.min_area > 1)}"
        raise ValueError(
            f"the ground truth has no object of at least {pixels}{which}. Choose "
            "another layer, other slices or a smaller area."
        )
    return taken


def _taken(
    annotated: AnnotatedImage, chosen: Iterable[tuple[Plane, int]]
) -> list[SliceObject]:
    """Take objects as they are now, but for those that were erased meanwhile."""
    taken = []
    for plane, on_plane in groupby(chosen, key=lambda each: each[0]):
        labels = annotated.labels_on(plane)
        for _, value in on_plane:
            truth = PackedMask.of(labels == value)
            if truth.box is not None:
                taken.append(SliceObject(plane, value, truth))
    return taken


def spread(items: Sequence[T], count: int) -> list[T]:
    """Take this many items, evenly from the first to the last, or all if fewer."""
    if len(items) <= count:
        return list(items)
    places = np.linspace(0, len(items) - 1, count).round().astype(int)
    return [items[place] for place in places]


def samples(
    annotated: AnnotatedImage, objects: Iterable[SliceObject]
) -> Iterator[AnnotatedSample]:
    """Read objects as samples, whatever has become of the ground truth since.

    Parameters
    ----------
    annotated : AnnotatedImage
        Where they lie.
    objects : iterable of SliceObject
        Those of one slice next to each other: its image is then read once.
    """
    for plane, on_plane in groupby(objects, key=lambda found: found.plane):
        image = annotated.image_on(plane)
        all_of_it = whole(image.shape[:2])
        for found in on_plane:
            name, mask = found.name(annotated.name), found.truth.within(all_of_it)
            yield AnnotatedSample(name, image, mask, pixel_size=annotated.pixel_size)


def report_settings(
    annotated: AnnotatedImage, labels: str, settings: EvaluationSettings
) -> dict[str, Any]:
    """Name what results depend on besides the model, for a report: plain JSON."""
    raw = annotated.raw
    return {
        "dataset": "napari",
        "image": annotated.name,
        "labels": labels,
        **asdict(settings),
        "slice_axes": list(raw.plane.axes),
        "contrast_limits": None if raw.limits is None else [*map(float, raw.limits)],
        "gamma": raw.gamma,
        "flip": False,
    }
