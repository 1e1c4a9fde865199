"""load_predictor: from the name of a model to a predictor on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from napari_simpleclick.inference.predictor import Predictor
from napari_simpleclick.modeling.checkpoint import load_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

Device = Literal["auto", "cpu", "cuda", "mps"]


def load_predictor(
    model: str | Path = "default",
    *,
    device: Device = "auto",
    flip: bool = False,
    threshold: float = 0.49,
) -> Predictor:
    """Load a SimpleClick model, ready to predict.

    Parameters
    ----------
    model : str or Path
        As for `load_checkpoint`: a name of the catalogue or a file.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute; see `choose_device`.
    flip : bool
        Average with the mirrored image; twice the time.
    threshold : float
        In [0, 1]; the probability above which a pixel counts as object.

    Returns
    -------
    Predictor
        Its input size is the one that the model was trained at.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such model, the file is none, or the device is not there.
    """
    place = choose_device(device)
    network = load_checkpoint(model).to(place)
    return Predictor(
        network,
        input_size=network.config.image_size,
        flip=flip,
        threshold=threshold,
        device=place,
    )


def choose_device(device: Device = "auto") -> torch.device:
    """Return the device that a name stands for.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "mps"}
        "auto" is the first CUDA device where there is one, else the CPU.

    Raises
    ------
    ValueError
        If the device is unknown, or this computer or this build of torch lacks it.
    """
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    name = ("cuda" if available["cuda"] else "cpu") if device == "auto" else device
    if not available.get(name, False):
        usable = ", ".join(place for place, is_there in available.items() if is_there)
        raise ValueError(f"device: {device!r} is not available here; usable: {usable}")
    return torch.device(name)
