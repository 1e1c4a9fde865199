"""open_runtime: a network in a runtime of choice, once that has proved itself."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_simpleclick import __version__
from napari_simpleclick.modeling.runtimes.agreement import (
    LEAST_AGREEMENT,
    measure_agreement,
    reference_answer,
)
from napari_simpleclick.modeling.runtimes.candidates import candidates
from napari_simpleclick.modeling.runtimes.openvino_compiled import (
    PRECISIONS,
    OpenVINOCompiled,
    import_openvino,
)
from napari_simpleclick.modeling.runtimes.runtime import (
    RUNTIMES,
    Runtime,
    RuntimeChoice,
    RuntimeName,
    RuntimeRefusedError,
    title_of,
)
from napari_simpleclick.modeling.runtimes.runtime_cache import (
    RuntimeCache,
    RuntimeKey,
    RuntimeRecord,
)
from napari_simpleclick.modeling.torch_import import import_torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_simpleclick.modeling.config import SimpleClickConfig
    from napari_simpleclick.modeling.runtimes.network_source import NetworkSource
    from napari_simpleclick.modeling.runtimes.runtime import Compute

_LOG = logging.getLogger(__name__)


def open_runtime(
    source: NetworkSource,
    choice: RuntimeChoice = "auto",
    *,
    device: str = "cpu",
    size: int | None = None,
    threads: int | None = None,
    cache: RuntimeCache | None = None,
) -> Runtime:
    """Open a network in a runtime.

    Any but torch in float32 on the CPU has to give the same mask of a made-up slice as
    that one, see `measure_agreement`. The outcome is remembered, and so is the compiled
    network: from the second time on, and where torch's answers are recorded from the
    first, OpenVINO does without torch, whose import takes seconds.

    Parameters
    ----------
    source : NetworkSource
        The network.
    choice : str
        One of `RUNTIMES`; or "auto", the first of `candidates` that can be used.
    device : str
        Where to compute: "cpu", "cuda" or "mps".
    size : int or None
        Side of the crops in pixels; None for that of the network's configuration.
        Torch takes any other, too.
    threads : int or None
        That OpenVINO computes with; None for as many as it takes by itself.
    cache : RuntimeCache or None
        What is remembered; None for the user's.

    Returns
    -------
    Runtime
        In use; `refusals` says why others were not taken, and so does the log.

    Raises
    ------
    RuntimeRefusedError
        If the runtime cannot be used, or with "auto", none.
    ValueError
        If there is no such runtime.
    """
    if choice != "auto" and choice not in RUNTIMES:
        raise ValueError(
            f"runtime: {choice!r}, expected auto or one of {', '.join(RUNTIMES)}"
        )
    cache = RuntimeCache.of_user() if cache is None else cache
    refusals: list[str] = []
    for name in candidates(device) if choice == "auto" else (choice,):
        try:
            runtime = _Attempt(name, source, device, size, threads, cache).open()
        except RuntimeRefusedError as error:
            refusals.append(str(error))
            continue
        for refusal in refusals:
            _LOG.warning("%s", refusal)
        return replace(runtime, refusals=tuple(refusals))
    raise RuntimeRefusedError("; ".join(refusals))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One runtime to be opened; the fields are the arguments of `open_runtime`."""

    name: RuntimeName
    source: NetworkSource
    device: str
    size: int | None
    threads: int | None
    cache: RuntimeCache

    def open(self) -> Runtime:
        """Open it, or raise `RuntimeRefusedError`."""
        try:
            if self.name in PRECISIONS:
                return self._open_openvino()
            return self._open_torch()
        except RuntimeError as error:
            reason = str(error).strip().partition("\n")[0]
            raise RuntimeRefusedError(
                f"{title_of(self.name)} cannot be used: {reason}"
            ) from error

    def _open_torch(self) -> Runtime:
        import_torch()
        import torch

        from napari_simpleclick.modeling.runtimes import (
            torch_compiled,
            torch_eager,
            torch_graph,
        )

        if self.name == "torch-graph" and not self.device.startswith("cuda"):
            raise RuntimeRefusedError(
                f"{title_of(self.name)} computes on CUDA devices alone, not on "
                f"{self.device}"
            )
        network = self.source.network
        compute: Compute
        if self.name == "torch-compile":
            compute = torch_compiled.TorchCompiled(network, self.device)
        elif self.name == "torch-graph":
            side = self._side(network.config.image_size)
            compute = torch_graph.TorchGraph(network, self.device, side)
        else:
            dtype = torch_eager.DTYPES[self.name]
            compute = torch_eager.TorchEager(network, dtype, self.device)
        if (self.name, self.device) != ("torch-float32", "cpu"):
            place = torch_eager.device_name(torch.device(self.device))
            key = self._key(torch=str(torch.__version__), device=place)
            record = self._remembered(key) or self._examine(
                key, compute, network.config
            )
            self._check(record)
        return Runtime(self.name, compute, network.config, self.device)

    def _open_openvino(self) -> Runtime:
        if self.device != "cpu":
            raise RuntimeRefusedError(
                f"{title_of(self.name)} computes on the CPU alone, not on {self.device}"
            )
        openvino = import_openvino()
        core = openvino.Core()
        key = self._key(
            openvino=openvino.get_version(),
            processor=core.get_property("CPU", "FULL_DEVICE_NAME"),
            formats=" ".join(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
        )
        record = self._remembered(key)
        if record is not None:
            self._check(record)
            try:
                compute = OpenVINOCompiled(
                    core,
                    record.blob,
                    self.name,
                    record.config.click_radius,
                    self.threads,
                )
            except RuntimeError as error:
                _LOG.warning("the compiled network is of no use: %s", error)
            else:
                return Runtime(self.name, compute, record.config, self.device)
        _LOG.info("compiling the network for this computer, once")
        from napari_simpleclick.modeling.runtimes import openvino_graph

        weights = self.source.weights
        config = weights.config
        graph = openvino_graph.build_graph(weights, self._side(config.image_size))
        compute = OpenVINOCompiled.compile(
            core, graph, self.name, config.click_radius, self.threads
        )
        self._check(self._examine(key, compute, config, compute.blob))
        return Runtime(self.name, compute, config, self.device)

    def _examine(
        self,
        key: RuntimeKey | None,
        compute: Compute,
        config: SimpleClickConfig,
        blob: bytes = b"",
    ) -> RuntimeRecord:
        expected = self._expected(self._side(config.image_size))
        record = RuntimeRecord(config, measure_agreement(compute, expected), blob)
        if key is not None:
            self.cache.write(key, record)
        return record

    def _expected(self, side: int) -> NDArray[np.float32]:
        """Return what torch answers in float32, recorded or now."""
        recorded = self.source.answers.get(side)
        if recorded is not None:
            return recorded
        network = self.source.network
        from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager

        return reference_answer(TorchEager(network), side)

    def _check(self, record: RuntimeRecord) -> None:
        if record.agreement < LEAST_AGREEMENT:
            iou = math.floor(1000 * record.agreement) / 1000  # never the least itself
            raise RuntimeRefusedError(
                f"{title_of(self.name)} is not used: its mask of a test slice agrees "
                f"with that of PyTorch in float32 by {iou:.3f} (IoU), "
                f"expected at least {LEAST_AGREEMENT}"
            )

    def _remembered(self, key: RuntimeKey | None) -> RuntimeRecord | None:
        return None if key is None else self.cache.read(key)

    def _key(self, **made_with: str) -> RuntimeKey | None:
        """Name what is remembered; None where the network has no file."""
        if self.source.digest is None:
            return None
        made_with |= {"napari-simpleclick": __version__}
        return RuntimeKey(self.source.digest, self.name, self.size, made_with)

    def _side(self, own: int) -> int:
        return own if self.size is None else self.size
