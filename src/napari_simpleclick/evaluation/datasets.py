"""Data sets for evaluation, opened by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from napari_simpleclick.evaluation.layouts import LAYOUTS, open_layout
from napari_simpleclick.evaluation.volume_layouts import VOLUME_LAYOUTS
from napari_simpleclick.evaluation.volumes import open_volumes
from napari_simpleclick.evaluation.whole_volumes import open_whole

if TYPE_CHECKING:
    from pathlib import Path

    from napari_simpleclick.evaluation.samples import Dataset
    from napari_simpleclick.evaluation.slicing import Slicing

DATASETS: Final = (*LAYOUTS, *VOLUME_LAYOUTS)
"""Names that `open_dataset` knows."""


def open_dataset(
    name: str,
    root: str | Path,
    *,
    labels: Path | None = None,
    slicing: Slicing | None = None,
    reach: int | None = None,
) -> Dataset:
    """Open a data set in its public layout.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    root : str or Path
        Its folder; for "volume" also one file.
    labels : Path or None
        The labels of `root`, where that is one file.
    slicing : Slicing or None
        Slices to take of volumes; None for those that the data set is known by.
    reach : int or None
        None for slices of volumes; a number for whole volumes, as for `open_whole`.

    Raises
    ------
    FileNotFoundError
        If the root, or a folder or file that the layout needs, is not there.
    ValueError
        If the name is unknown, the layout is another, or an argument does not fit.
    """
    if name not in DATASETS:
        raise ValueError(f"name: {name!r}, expected one of {', '.join(DATASETS)}")
    if labels is not None and name != "volume":
        raise ValueError(f"labels: {labels}, expected None: only volume has it")
    if reach is not None:
        if name not in VOLUME_LAYOUTS:
            expected = ", ".join(VOLUME_LAYOUTS)
            raise ValueError(f"name: {name!r} has no volumes, expected {expected}")
        return open_whole(name, root, slicing, labels=labels, reach=reach)
    if name in VOLUME_LAYOUTS:
        return open_volumes(name, root, slicing, labels=labels)
    if slicing is not None:
        raise ValueError(
            f"{name} consists of slices: axis, every n-th and smallest area can be "
            f"chosen for {', '.join(VOLUME_LAYOUTS)}"
        )
    return open_layout(name, root)


def folder(path: str | Path) -> Dataset:
    """Read a folder with `images/` and `masks/`: PNG or TIFF files of equal stems.

    A mask is an integer or bool image (H, W) in which 0 is background and every other
    value is an object of its own. Images are (H, W), (H, W, 3) or (H, W, 4), whose
    alpha is dropped; what is not uint8 is brought to 256 levels as the plugin does.

    Parameters
    ----------
    path : str or Path
        The folder; it is listed at once, files are read as they are reached.

    Returns
    -------
    Dataset
        An iterable of samples, as for `open_layout`.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `open_layout`.
    """
    return open_layout("folder", path)
