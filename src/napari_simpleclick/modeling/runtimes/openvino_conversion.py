"""compile_network: from a torch network to OpenVINO's compiled one, as bytes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    import openvino
    from torch import Tensor

    from napari_simpleclick.modeling.simpleclick import SimpleClick


def compile_network(
    network: SimpleClick,
    size: int,
    core: openvino.Core,
    settings: Mapping[str, Any],
) -> bytes:
    """Convert and compile a network for one crop of a fixed size.

    Parameters
    ----------
    network : SimpleClick
        In evaluation mode, float32, on the CPU.
    size : int
        Side of the crop in pixels.
    core : openvino.Core
        Compiles it.
    settings : mapping
        Of the compilation.

    Returns
    -------
    bytes
        What `Core.import_model` takes: image (1, 3, size, size) and click maps, as for
        `SimpleClick.logits_from_maps`, to low-resolution logits, all float32.

    Raises
    ------
    RuntimeError
        If OpenVINO cannot convert or compile it.
    """
    from openvino import PartialShape
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    examples = (torch.zeros(1, 3, size, size), torch.zeros(1, 3, size, size))
    with warnings.catch_warnings():
        # Torch's tracer is deprecated, but OpenVINO converts what torch.export gives
        # to a slower network. That shapes become constants is what is wanted here.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(_FromMaps(network), examples, check_trace=False)
        decoder = TorchScriptPythonDecoder(traced)
    # Not openvino.convert_model: it reports its use to the makers of OpenVINO.
    frontend = FrontEndManager().load_by_framework("pytorch")
    model = frontend.convert(frontend.load(decoder))
    model.reshape({i: PartialShape([1, 3, size, size]) for i in range(2)})
    compiled = core.compile_model(model, "CPU", dict(settings))
    exported: bytes = compiled.export_model().getvalue()
    return exported


class _FromMaps(nn.Module):
    """A network whose call is `logits_from_maps`."""

    def __init__(self, network: SimpleClick) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, click_maps: Tensor) -> Tensor:
        return self.network.logits_from_maps(image, click_maps)
