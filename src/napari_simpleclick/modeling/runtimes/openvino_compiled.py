"""OpenVINOCompiled: a compiled network on a processor, one crop or many at a time."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from napari_simpleclick.modeling.bilinear import stretched
from napari_simpleclick.modeling.runtimes.click_maps import draw_click_maps
from napari_simpleclick.modeling.runtimes.runtime import RuntimeRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import openvino
    from numpy.typing import NDArray

    from napari_simpleclick.types import Floats

PRECISIONS: Final[Mapping[str, str]] = {
    "openvino-float32": "f32",
    "openvino-bfloat16": "bf16",
    "openvino-float16": "f16",
}
"""OpenVINO's word for the precision, by name of the runtime."""

_MANY: Final = 4
"""Crops from which on each gets a thread of its own, instead of all threads."""


class OpenVINOCompiled:
    """A compiled network.

    It is compiled for one crop. A batch of many goes through it crop by crop, but
    several at the same time.

    Parameters
    ----------
    core : openvino.Core
        Reads the network.
    blob : bytes
        From `compile`, here or at an earlier time.
    name : str
        One of `PRECISIONS`.
    radius : int
        Of the disks that stand for clicks, in pixels.
    threads : int or None
        To compute with; None for as many as OpenVINO takes.
    compiled : openvino.CompiledModel or None
        What the bytes say, where it is at hand; None to read them.

    Attributes
    ----------
    blob : bytes
        As given.

    Raises
    ------
    RuntimeError
        If the bytes are not what this version of OpenVINO wrote.
    """

    def __init__(
        self,
        core: openvino.Core,
        blob: bytes,
        name: str,
        radius: int,
        threads: int | None = None,
        *,
        compiled: openvino.CompiledModel | None = None,
    ) -> None:
        self._core, self.blob = core, blob
        self._name, self._radius, self._threads = name, radius, threads
        self._compiled = compiled or core.import_model(
            blob, "CPU", settings_of(name, threads)
        )
        self._request = self._compiled.create_infer_request()
        self._many: openvino.AsyncInferQueue | None = None
        self._turn = Lock()

    @classmethod
    def compile(
        cls,
        core: openvino.Core,
        graph: openvino.Model,
        name: str,
        radius: int,
        threads: int | None = None,
    ) -> Self:
        """Compile a graph of `build_graph`; the other parameters are the class's own.

        Raises
        ------
        RuntimeError
            If OpenVINO cannot compile it.
        """
        compiled = core.compile_model(graph, "CPU", settings_of(name, threads))
        blob = compiled.export_model().getvalue()
        return cls(core, blob, name, radius, threads, compiled=compiled)

    @property
    def threads(self) -> int:
        """Threads that it computes with."""
        return int(self._compiled.get_property("INFERENCE_NUM_THREADS"))

    def __call__(self, image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        """Return logits (B, 1, H, W), float32.

        Raises
        ------
        ValueError
            If the crops have another size than the network was compiled for.
        """
        size = (image.shape[2], image.shape[3])
        expected = tuple(self._compiled.inputs[0].shape)[2:]
        if size != expected:
            raise ValueError(
                f"image: shape {tuple(image.shape)}, expected height and width "
                f"{expected}, which this runtime is compiled for"
            )
        maps = draw_click_maps(prev_mask, points, self._radius)
        with self._turn:
            infer = self._at_once if len(maps) >= _MANY else self._in_turn
            logits = infer(image, maps)
        return np.stack([[stretched(plane, size)] for plane in logits[:, 0]])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the compiled bytes, for other processes of this computer."""
        return _reopen, (self.blob, self._name, self._radius, self._threads)

    def _in_turn(
        self, images: NDArray[np.float32], maps: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        answers = []
        for one in zip(images, maps, strict=True):
            self._request.infer([array[None] for array in one], share_inputs=True)
            answers.append(self._request.get_output_tensor().data.copy())
        return np.concatenate(answers)

    def _at_once(
        self, images: NDArray[np.float32], maps: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        queue = self._many or self._open_queue()
        answers = [np.empty(0, dtype=np.float32)] * len(images)

        def keep(request: openvino.InferRequest, index: int) -> None:
            answers[index] = request.get_output_tensor().data.copy()

        queue.set_callback(keep)
        for index, one in enumerate(zip(images, maps, strict=True)):
            queue.start_async(
                [array[None] for array in one], userdata=index, share_inputs=True
            )
        queue.wait_all()
        return np.concatenate(answers)

    def _open_queue(self) -> openvino.AsyncInferQueue:
        settings = settings_of(self._name, self._threads) | {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": self._threads or "AUTO",
        }
        # OpenVINO does not read again what an imported network exports: so the blob.
        many = self._core.import_model(self.blob, "CPU", settings)
        self._many = import_openvino().AsyncInferQueue(many)
        return self._many


def _reopen(
    blob: bytes, name: str, radius: int, threads: int | None
) -> OpenVINOCompiled:
    return OpenVINOCompiled(import_openvino().Core(), blob, name, radius, threads)


def settings_of(name: str, threads: int | None = None) -> dict[str, Any]:
    """Return how to compile: for the least time of one pass.

    Threads may run on any core: two processes that pin theirs would meet on one.
    """
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": PRECISIONS[name],
        "INFERENCE_NUM_THREADS": threads or 0,  # 0: OpenVINO chooses
        "ENABLE_CPU_PINNING": False,
    }


def import_openvino() -> ModuleType:
    """Import OpenVINO, an optional dependency.

    Raises
    ------
    RuntimeRefusedError
        If it is not installed, or does not run here.
    """
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise RuntimeRefusedError(
            "OpenVINO, the fastest on most processors, is not installed: "
            'pip install "napari-simpleclick[openvino]"'
        ) from error
    except ImportError as error:
        raise RuntimeRefusedError(f"OpenVINO cannot be used: {error}") from error
    module: ModuleType = openvino
    return module
