"""Runtime: a network and what computes it, behind one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

if TYPE_CHECKING:
    from napari_simpleclick.modeling.config import SimpleClickConfig
    from napari_simpleclick.types import Floats

RuntimeName = Literal[
    "torch-float32",
    "torch-bfloat16",
    "torch-float16",
    "torch-graph",
    "torch-compile",
    "openvino-float32",
    "openvino-bfloat16",
    "openvino-float16",
]
RuntimeChoice = Literal["auto"] | RuntimeName
"""A runtime, or the first of `candidates` that can be used."""

RUNTIMES: Final[tuple[RuntimeName, ...]] = get_args(RuntimeName)
_LIBRARIES: Final = {"torch": "PyTorch", "openvino": "OpenVINO"}


class RuntimeRefusedError(ValueError):
    """A runtime cannot be used here; the message is one sentence."""


class Compute(Protocol):
    """Turns crops, previous masks and clicks into logits, as `SimpleClick` does."""

    def __call__(self, image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        """Return logits (B, 1, H, W), float32; the arguments are those of a network."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """A network in a runtime; called as a network is.

    Parameters
    ----------
    name : str
        One of `RUNTIMES`.
    compute : Compute
        What does the work.
    config : SimpleClickConfig
        The network's.
    device : str
        Where it computes: "cpu", "cuda" or "mps".
    refusals : tuple of str
        Why others were not taken, one sentence each.
    """

    name: RuntimeName
    compute: Compute
    config: SimpleClickConfig
    device: str
    refusals: tuple[str, ...] = ()

    def __call__(self, image: Floats, prev_mask: Floats, points: Floats) -> Floats:
        """Return the logits of the object, (B, 1, H, W), float32."""
        return self.compute(image, prev_mask, points)

    @property
    def title(self) -> str:
        """The name for people to read."""
        return title_of(self.name)


def title_of(name: RuntimeName) -> str:
    """Return the name of a runtime for people to read, such as "OpenVINO, bfloat16"."""
    library, _, rest = name.partition("-")
    return f"{_LIBRARIES[library]}, {rest}"
