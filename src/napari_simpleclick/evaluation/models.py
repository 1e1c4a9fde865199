"""What is evaluated: a checkpoint or a method without a network, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from napari_simpleclick.evaluation.baselines import BASELINES
from napari_simpleclick.inference.loading import load_predictor, runtime_of
from napari_simpleclick.modeling.catalog import digest_of, find_checkpoint, list_models

if TYPE_CHECKING:
    from napari_simpleclick.inference.click_predictor import ClickPredictor
    from napari_simpleclick.modeling.devices import Device
    from napari_simpleclick.modeling.runtimes.runtime import RuntimeChoice, RuntimeName


class ModelOpener(Protocol):
    """Opens a model, each time anew."""

    def __call__(self, *, threads: int | None = None) -> EvaluatedModel:
        """Open it; `threads` as for `open_runtime`."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """A predictor under a name.

    Parameters
    ----------
    name : str
        In reports.
    predictor : ClickPredictor
        What clicks are put to.
    sha256 : str or None
        Hexadecimal digest of the checkpoint file, None without one.
    runtime : str or None
        What computes the network, None without one.
    """

    name: str
    predictor: ClickPredictor
    sha256: str | None = None
    runtime: RuntimeName | None = None


def open_model(
    model: str,
    *,
    device: Device = "auto",
    runtime: RuntimeChoice = "auto",
    flip: bool = True,
    threads: int | None = None,
) -> EvaluatedModel:
    """Load a model by name or file.

    Parameters
    ----------
    model : str
        A name of `BASELINES`, or as for `load_checkpoint`: a name of the catalogue or
        a file, whose stem is then its name.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute.
    runtime : str
        What computes, as for `load_predictor`.
    flip : bool
        Average with the mirrored image, as the published evaluation does.
    threads : int or None
        As for `open_runtime`.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `load_predictor`.
    ImportError
        If the method needs a library that is not installed.
    """
    if model in BASELINES:
        return EvaluatedModel(model, BASELINES[model]())
    predictor = load_predictor(
        model, device=device, runtime=runtime, flip=flip, threads=threads
    )
    opened = runtime_of(predictor)
    file = find_checkpoint(model)
    is_name = model in (entry.name for entry in list_models())
    return EvaluatedModel(
        name=model if is_name else file.stem,
        predictor=predictor,
        sha256=digest_of(file),
        runtime=None if opened is None else opened.name,
    )
