"""StudyBar: the objects of a data set on their way, and a bar that shows it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Self

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from napari_simpleclick.evaluation.samples import Dataset
    from napari_simpleclick.types import Sample


class StudyBar:
    """Progress in images, or in objects where they lie in a single source.

    Parameters
    ----------
    dataset : Dataset
        What is segmented.
    title : str
        Stands before the bar.
    done : collection of str
        Names of the objects that need not be segmented any more.

    Attributes
    ----------
    order : list of str
        The objects met so far, in the order of the data set, done or not.
    """

    def __init__(self, dataset: Dataset, title: str, done: Collection[str]) -> None:
        self.order: list[str] = []
        self._dataset, self._done = dataset, done
        self._source_of: dict[str, int] = {}
        self._left: Counter[int] = Counter()
        self._n_objects = 0
        n_sources = len(dataset.sources)
        self._counts_images = n_sources > 1
        if self._counts_images:
            self._bar = tqdm(total=n_sources, desc=title, unit="image")
        else:
            total = sum(1 for _ in dataset)
            self._bar = tqdm(total=total, desc=title, unit="object")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def remaining(self) -> Iterator[Sample]:
        """Read the samples that are left to do, one source after the other."""
        for number, source in enumerate(self._dataset.sources):
            self._left[number] = 1  # the reading itself
            for sample in source.read():
                self.order.append(sample.name)
                if sample.name in self._done:
                    self._count_up()
                else:
                    self._source_of[sample.name] = number
                    self._left[number] += 1
                    yield sample
            self._count_down(number)

    def finish(self, name: str) -> None:
        """Move on by one object, which `remaining` gave before; in any order."""
        self._count_up()
        self._count_down(self._source_of.pop(name))

    def _count_up(self) -> None:
        self._n_objects += 1
        self._bar.set_postfix(objects=self._n_objects)
        if not self._counts_images:
            self._bar.update()

    def _count_down(self, number: int) -> None:
        self._left[number] -= 1
        if self._counts_images and not self._left[number]:
            self._bar.update()
