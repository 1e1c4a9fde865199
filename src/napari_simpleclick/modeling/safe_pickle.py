"""unpickle: read the pickles inside PyTorch files without a way to run anything.

A pickle is a program for a small stack machine. Python's own machine imports what a
pickle names and calls it. This one cannot: a name stays a string, and the four calls
that a file of weights needs are played here, with their arguments checked.

Why not `torch.load(weights_only=True)`: it refuses the published files unless names are
added to a registry that the whole process shares, and before torch 2.10 a hostile file
could corrupt memory through it (CVE-2026-24747).
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.stored_tensor import (
    STORAGE_DTYPES,
    Storage,
    StoredTensor,
)

if TYPE_CHECKING:
    from io import BytesIO

_LOSS = "isegm.model.modeling.transformer_helper.cross_entropy_loss."
_CRITERIA = ("cross_entropy", "binary_cross_entropy", "mask_cross_entropy")
INERT_NAMES = frozenset(_LOSS + name for name in ("CrossEntropyLoss", *_CRITERIA))
"""What published files name besides tensors: the loss that the authors trained with."""


class _Call(StrEnum):
    """The four calls that a file of weights makes."""

    ORDERED_DICT = "collections.OrderedDict"
    SET = "builtins.set"
    TENSOR = "torch._utils._rebuild_tensor_v2"
    PARAMETER = "torch._utils._rebuild_parameter"


_ALLOWED_NAMES = INERT_NAMES | set(STORAGE_DTYPES) | set(_Call)


@dataclass(frozen=True, slots=True)
class Inert:
    """Something the pickle names, or an object of that class: a name, nothing else."""

    name: str


@dataclass(frozen=True, slots=True)
class Pickled:
    """What a pickle holds.

    Parameters
    ----------
    root : object
        Built of dict, list, tuple, str, bytes, int, float, bool, None, `StoredTensor`
        and `Inert`; a set is kept as a list, so that nothing is ever hashed but str
        and int.
    storages : dict
        Every storage that the pickle mentions, by key.
    """

    root: object
    storages: dict[str, Storage]


def unpickle(stream: BytesIO) -> Pickled:
    """Read one pickle; the stream stays just behind it.

    Parameters
    ----------
    stream : BytesIO
        Positioned at the start of a pickle.

    Returns
    -------
    Pickled
        Its contents.

    Raises
    ------
    CheckpointError
        If the pickle names anything but tensors, containers and the published loss, or
        is damaged.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            machine.step(opcode.name, argument)
        return Pickled(machine.stack.pop(), machine.storages)
    except CheckpointError:
        raise
    except (ValueError, TypeError, LookupError, OverflowError, Warning) as error:
        raise CheckpointError("holds a damaged pickle") from error


_CONSTANTS = MappingProxyType({"NONE": None, "NEWTRUE": True, "NEWFALSE": False})
_CONTAINERS = MappingProxyType(
    {"EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": list}
)
_LITERALS = frozenset(
    "BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE BINSTRING "
    "SHORT_BINSTRING BINBYTES SHORT_BINBYTES".split()
)


class _Machine:
    """The stack machine: every instruction that it knows is in `step`."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, Storage] = {}

    def step(self, name: str, argument: Any) -> None:
        """Carry out one instruction, named as in `pickletools`."""
        stack = self.stack
        match name:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case _ if name in _LITERALS:
                stack.append(argument)
            case _ if name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            case _ if name in _CONTAINERS:
                stack.append(_CONTAINERS[name]())
            case "MARK":
                self.marks.append(stack)
                self.stack = []
            case "TUPLE":
                items = self._pop_to_mark()
                self.stack.append(tuple(items))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self._tuple(int(name[-1]))
            case "APPEND":
                _extend(stack[-2], [stack.pop()])
            case "APPENDS" | "ADDITEMS":
                items = self._pop_to_mark()
                _extend(self.stack[-1], items)
            case "SETITEM":
                _set_items(stack[-3], [stack.pop(-2), stack.pop()])
            case "SETITEMS":
                items = self._pop_to_mark()
                _set_items(self.stack[-1], items)
            case "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(self.memo[argument])
            case "GLOBAL":
                stack.append(_named(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                stack.append(_named(stack.pop(-2), stack.pop()))
            case "REDUCE" | "NEWOBJ":
                stack.append(_call(stack.pop(-2), stack.pop()))
            case "BUILD":
                _ignore_state(stack[-2], stack.pop())
            case "BINPERSID":
                stack.append(self._storage(stack.pop()))
            case _:
                raise CheckpointError(
                    f"uses the pickle instruction {name}, which weights do not need"
                )

    def _pop_to_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marks.pop()
        return items

    def _tuple(self, length: int) -> None:
        items = tuple(self.stack[-length:])
        if len(items) != length:
            raise CheckpointError("holds a damaged pickle")
        self.stack[-length:] = [items]

    def _storage(self, reference: object) -> Storage:
        match reference:
            case ("storage", Inert(name), str(key), str(_), int(size), *rest) if (
                name in STORAGE_DTYPES and rest in ([], [None])
            ):
                storage = Storage(key, STORAGE_DTYPES[name], size)
            case _:
                raise CheckpointError("refers to something that is no tensor storage")
        if self.storages.setdefault(key, storage) != storage:
            raise CheckpointError(f"describes its storage {key[:40]!r} in two ways")
        return storage


def _named(module: object, name: object) -> Inert:
    if not (isinstance(module, str) and isinstance(name, str)):
        raise CheckpointError("asks for something without a name")
    full_name = f"{module.replace('__builtin__', 'builtins')}.{name}"
    if full_name not in _ALLOWED_NAMES:
        raise CheckpointError(
            f"asks for {full_name[:100]!r}, but weights need only tensors, containers "
            "and the published loss; nothing in the file was run"
        )
    return Inert(full_name)


def _call(function: object, arguments: object) -> object:
    match function, arguments:
        case Inert(name), tuple() if name in INERT_NAMES:
            return function
        case Inert(_Call.ORDERED_DICT), ():
            return {}
        case Inert(_Call.SET), (list(items),):
            return items
        case Inert(_Call.TENSOR), (
            Storage() as storage,
            int(offset),
            tuple(shape),
            tuple(stride),
            *_,
        ):
            return StoredTensor(storage, offset, shape, stride)
        case Inert(_Call.PARAMETER), (StoredTensor() as tensor, *_):
            return tensor
    raise CheckpointError("calls something in a way that weights do not need")


def _ignore_state(target: object, _state: object) -> None:
    """Accept the attributes of a loss or an OrderedDict, and keep none of them."""
    if not isinstance(target, Inert | dict):
        raise CheckpointError("sets attributes of something that has none")


def _extend(target: object, items: list[Any]) -> None:
    if not isinstance(target, list):
        raise CheckpointError("appends to something that is no list")
    target.extend(items)


def _set_items(target: object, items: list[Any]) -> None:
    keys, values = items[::2], items[1::2]
    if not isinstance(target, dict) or not all(map(_is_key, keys)):
        raise CheckpointError("fills a dictionary in a way that weights do not need")
    target.update(zip(keys, values, strict=True))


def _is_key(value: object) -> bool:
    """Allow what hashes fast, whatever the file's author chose."""
    return type(value) is str or (type(value) is int and abs(value) < 2**31)
