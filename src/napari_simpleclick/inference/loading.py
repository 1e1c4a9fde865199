"""load_predictor: from a model by name, or a network, to a predictor on a device."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from napari_simpleclick.inference.predictor import Predictor
from napari_simpleclick.inference.transforms import ZoomIn
from napari_simpleclick.modeling.catalog import find_checkpoint
from napari_simpleclick.modeling.devices import choose_device
from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
from napari_simpleclick.modeling.runtimes.opening import open_runtime
from napari_simpleclick.modeling.runtimes.runtime import Runtime, RuntimeRefusedError
from napari_simpleclick.types import Click

if TYPE_CHECKING:
    from pathlib import Path

    from napari_simpleclick.inference.predictor import ClickModel
    from napari_simpleclick.modeling.config import SimpleClickConfig
    from napari_simpleclick.modeling.devices import Device
    from napari_simpleclick.modeling.runtimes.runtime import RuntimeChoice

_LOG = logging.getLogger(__name__)


def load_predictor(
    model: str | Path = "default",
    *,
    device: Device = "auto",
    runtime: RuntimeChoice = "auto",
    flip: bool = False,
    threshold: float = 0.49,
    threads: int | None = None,
) -> Predictor:
    """Load a SimpleClick model, ready to predict.

    Parameters
    ----------
    model : str or Path
        As for `load_checkpoint`: a name of the catalogue or a file.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute; see `choose_device`. With a runtime of OpenVINO "auto" is
        the CPU.
    runtime : str
        What computes: one of `RUNTIMES`, or "auto" for the fastest that can be used,
        by the rule of `candidates`; the log says which.
    flip : bool
        Average with the mirrored image; twice the time.
    threshold : float
        In [0, 1]; the probability above which a pixel counts as object.
    threads : int or None
        As for `open_runtime`.

    Returns
    -------
    Predictor
        It works as the configuration of the network asks for; its model is a `Runtime`.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such model, the file is none, or the device is not there.
    RuntimeRefusedError
        A ValueError: if the runtime cannot be used here.
    """
    if device == "auto" and runtime.startswith("openvino"):
        device = "cpu"
    place = choose_device(device)
    source = NetworkSource.from_file(find_checkpoint(model))
    opened = open_runtime(source, runtime, device=place, threads=threads)
    _LOG.info("%s computes with %s (%s)", model, opened.title, place)
    return predictor_for(
        opened,
        opened.config,
        glance_model=_open_glance(source, opened, threads),
        flip=flip,
        threshold=threshold,
    )


def _open_glance(
    source: NetworkSource, opened: Runtime, threads: int | None
) -> Runtime | None:
    """Open the network for its `glance_size` too, where a runtime takes one size."""
    size = opened.config.glance_size
    if not size or not opened.name.startswith("openvino"):
        return None
    try:
        return open_runtime(
            source, opened.name, device=opened.device, size=size, threads=threads
        )
    except RuntimeRefusedError as error:
        _LOG.warning("%s: so PyTorch has the first look at small images", error)
        return open_runtime(source, "torch-float32", device=opened.device)


def runtime_of(predictor: object) -> Runtime | None:
    """Return what computes a predictor's network; None for any other predictor."""
    model = predictor.model if isinstance(predictor, Predictor) else None
    return model if isinstance(model, Runtime) else None


def warm_up(predictor: Predictor) -> None:
    """Compute one click on an empty image, so that the user's first one is fast."""
    predictor.predict(np.zeros((64, 64), dtype=np.uint8), [Click(32, 32)])


def predictor_for(
    model: ClickModel,
    config: SimpleClickConfig,
    *,
    glance_model: ClickModel | None = None,
    input_size: int | None = None,
    flip: bool = False,
    threshold: float = 0.49,
) -> Predictor:
    """Use a network in the way that its configuration asks for.

    Parameters
    ----------
    model : ClickModel
        The network, in any runtime.
    config : SimpleClickConfig
        Its configuration.
    glance_model : ClickModel or None
        As for `Predictor`.
    input_size : int or None
        Side of the square input in pixels; None for the one it was trained at.
    flip, threshold
        As for `Predictor`.
    """
    return Predictor(
        model,
        input_size=config.image_size if input_size is None else input_size,
        flip=flip,
        zoom_in=ZoomIn(
            min_crop=config.min_crop,
            recompute_iou=config.recompute_iou,
            snap=config.crop_snap,
        ),
        second_look=config.second_look,
        glance_size=config.glance_size,
        glance_model=glance_model,
        flood=config.flood,
        exact_clicks=config.exact_clicks,
        obey=config.obey_clicks,
        steady=config.steady,
        threshold=threshold,
    )
