"""ModelChoice: the dock's model and device, loaded in the background."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from qtpy.QtWidgets import QFileDialog, QLabel

from napari_simpleclick.modeling.catalog import import_checkpoint, list_models
from napari_simpleclick.modeling.torch_import import paused_collection

if TYPE_CHECKING:
    from collections.abc import Callable

    from magicgui.widgets.bases import CategoricalWidget

    from napari_simpleclick.inference.predictor import Predictor
    from napari_simpleclick.modeling.devices import Device
    from napari_simpleclick.modeling.runtimes.runtime import RuntimeChoice
    from napari_simpleclick.plugin.controller import SegmentationController

FROM_FILE = "from a file \u2026"
DEVICES = ("auto", "cpu", "cuda", "mps")
NO_MODEL = (
    "The bundled model is missing. Choose another one, or "
    f"\u201c{FROM_FILE}\u201d to use a checkpoint (.safetensors, .pth)."
)


class ModelChoice:
    """Two combo boxes; what is chosen there becomes the controller's model.

    A line of text tells what computes it.

    Parameters
    ----------
    controller : SegmentationController
        Loads the model.
    """

    def __init__(self, controller: SegmentationController) -> None:
        self._controller = controller
        self._in_use: tuple[str | None, str] = (None, DEVICES[0])
        self.model = ComboBox(choices=self._models)
        self.device = ComboBox(choices=DEVICES)
        self.device.tooltip = "auto: a CUDA device where there is one, else the CPU"
        self.runtime = QLabel("\u2013")
        self.runtime.setToolTip("What computes the model: the fastest that can be used")
        self.model.changed.connect(self.load)
        self.device.changed.connect(self.load)

    @property
    def name(self) -> str | None:
        """Name of the model in use, None before one is loaded."""
        return self._in_use[0]

    def load(self) -> None:
        """Load what is chosen."""
        name = self.model.value
        if name is None:
            self._controller.message.emit(NO_MODEL)
        elif name == FROM_FILE:
            self._ask_for_file()
        else:
            self._load(name, lambda: name, self.device.value)

    def import_file(self, path: str | Path) -> None:
        """Add a checkpoint file to the catalogue and load it."""
        name = Path(path).stem
        self._load(name, lambda: import_checkpoint(path).name, self.device.value)

    def use(
        self, model: str | Path, device: Device, runtime: RuntimeChoice = "auto"
    ) -> None:
        """Load a model without adding it to the catalogue.

        The parameters are those of `load_predictor`.
        """
        self._load(str(model), lambda: model, device, runtime)

    def _ask_for_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self.model.native,
            "Checkpoint",
            "",
            "Checkpoints (*.safetensors *.pth *.pt)",
        )
        if path:
            self.import_file(path)
        else:
            self._show_in_use()

    def _load(
        self,
        name: str,
        find: Callable[[], str | Path],
        device: Device,
        runtime: RuntimeChoice = "auto",
    ) -> None:
        def load() -> Predictor:
            nonlocal name
            with paused_collection():
                from napari_simpleclick.inference.loading import load_predictor, warm_up

                model = find()
                name = str(model)  # that of an imported file may be a new one
                predictor = load_predictor(model, device=device, runtime=runtime)
            warm_up(predictor)
            with suppress(ImportError):
                import_module("pandas")  # else Start waits while napari imports it
            return predictor

        def ended(is_loaded: bool) -> None:
            if is_loaded:
                self._in_use = name, device
                self._show_runtime(f"Model {name!r} ({device})")
            self._show_in_use()

        self._controller.load_model(load, f"Model {name!r} ({device})", ended)

    def _show_runtime(self, title: str) -> None:
        """Tell what computes the model in use, and why nothing faster does."""
        shared = self._controller.predictor
        runtime = None if shared is None else shared.runtime
        if runtime is not None:
            self.runtime.setText(runtime.title)
            sentences = (f"{title} is ready: {runtime.title}", *runtime.refusals)
            self._controller.message.emit(". ".join(sentences) + ".")

    def _show_in_use(self) -> None:
        name, device = self._in_use
        with self.model.changed.blocked(), self.device.changed.blocked():
            self.model.reset_choices()
            self.model.value = self.model.choices[0] if name is None else name
            self.device.value = device

    def _models(self, _: CategoricalWidget[Any]) -> list[tuple[str, Any]]:
        available = {e.name: e.title for e in list_models() if e.is_available}
        if self.name is not None:
            available.setdefault(self.name, f"{Path(self.name).name} (in use)")
        models: list[tuple[str, Any]] = [(available[name], name) for name in available]
        return [*(models or [("none", None)]), (FROM_FILE, FROM_FILE)]
