"""No pickle, however hostile, runs anything; the pickles of weights are read."""

from __future__ import annotations

import os
import pickle
import struct
from collections import Counter, OrderedDict
from io import BytesIO
from pathlib import Path

import pytest
import torch

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.safe_pickle import Inert, unpickle
from napari_simpleclick.modeling.stored_tensor import Storage, StoredTensor

LOSS = b"isegm.model.modeling.transformer_helper.cross_entropy_loss\nCrossEntropyLoss\n"


def read(data: bytes) -> object:
    return unpickle(BytesIO(data)).root


class Reduce:
    """Pickles as a call of `function`."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.recipe = (function, arguments)

    def __reduce__(self) -> object:
        return self.recipe


def storage(size: int = 6, key: str = "0", name: str = "FloatStorage") -> bytes:
    """Opcodes that push a reference to a storage of `size` elements."""
    return (
        b"(X\x07\x00\x00\x00storagectorch\n"
        + name.encode()
        + b"\nX"
        + struct.pack("<I", len(key))
        + key.encode()
        + b"X\x03\x00\x00\x00cpu"
        + b"\x8a\x08"
        + struct.pack("<q", size)
        + b"tQ"
    )


def tensor(place: bytes, shape: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    """Opcodes that push a tensor; offset 0."""

    def numbers(values: tuple[int, ...]) -> bytes:
        return (
            b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", v) for v in values) + b"t"
        )

    arguments = place + b"K\x00" + numbers(shape) + numbers(stride) + b"\x89N"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_of_every_protocol(protocol: int) -> None:
    value = {
        "a": [1, -2, 70000, 2**40, 0.5, None, True, False],
        "b": ("x", (), {1: []}),
    }
    assert read(pickle.dumps(value, protocol)) == value


def test_one_of_several_pickles_in_a_stream() -> None:
    stream = BytesIO(pickle.dumps(1, 2) + pickle.dumps([2], 2))
    assert [unpickle(stream).root, unpickle(stream).root] == [1, [2]]


def test_ordered_dict_is_a_dict_and_a_set_is_a_list() -> None:
    ordered = OrderedDict(a=1)
    ordered._metadata = {"a": 2}  # type: ignore[attr-defined]  # as in state dicts
    result = read(pickle.dumps([ordered, {3}], 2))
    assert result == [{"a": 1}, [3]]
    assert type(result[0]) is dict


def test_tensor_is_a_window_into_its_storage() -> None:
    result = unpickle(BytesIO(b"\x80\x02" + tensor(storage(), (2, 3), (3, 1)) + b"."))
    expected = Storage("0", torch.float32, 6)
    assert result.root == StoredTensor(expected, 0, (2, 3), (3, 1))
    assert result.storages == {"0": expected}
    assert expected.nbytes == 24


def test_published_loss_is_inert() -> None:
    """Its class, its state and its criterion come back as names, and nothing else."""
    state = b"}X\x0c\x00\x00\x00__setstate__c" + LOSS + b"s"
    result = read(b"\x80\x02c" + LOSS + b")\x81" + state + b"b.")
    assert result == Inert(LOSS.decode().strip().replace("\n", "."))


SIDE_EFFECTS = {
    "os.mkdir": lambda target: Reduce(os.mkdir, target),
    "os.system": lambda target: Reduce(os.system, f"mkdir {target}"),
    "eval": lambda target: Reduce(eval, f"__import__('os').mkdir({target!r})"),
    "exec": lambda target: Reduce(exec, f"import os; os.mkdir({target!r})"),
    "getattr": lambda target: Reduce(getattr, Path(target), "mkdir"),
    "open": lambda target: Reduce(open, target, "w"),
    "nested": lambda target: {"state_dict": OrderedDict(a=[Reduce(os.mkdir, target)])},
    "torch.load": lambda target: Reduce(torch.load, target),
    "Path": Path,
    "bytearray": lambda _: Reduce(bytearray, 10),
    "Counter": lambda _: Counter("ab"),
    "Module": lambda _: torch.nn.Linear(1, 1),
    "OrderedDict with items": lambda _: Reduce(OrderedDict, [("a", 1)]),
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("name", SIDE_EFFECTS)
def test_hostile_pickles_do_nothing(name: str, protocol: int, tmp_path: Path) -> None:
    target = tmp_path / "made"
    data = pickle.dumps(SIDE_EFFECTS[name](str(target)), protocol)
    with pytest.raises(CheckpointError):
        read(data)
    assert not list(tmp_path.iterdir())


def test_hostile_pickle_would_have_worked(tmp_path: Path) -> None:
    target = tmp_path / "made"
    pickle.loads(pickle.dumps(SIDE_EFFECTS["os.mkdir"](str(target))))
    assert target.is_dir()


@pytest.mark.parametrize(
    ("opcodes", "wanted"),
    [
        (b"cposix\nsystem\n.", "posix.system"),
        (b"c__builtin__\neval\n.", "builtins.eval"),
        (b"ccopyreg\n_reconstructor\n.", "copyreg._reconstructor"),
        (b"ctorch.hub\nload\n.", "torch.hub.load"),
        (b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n.", "__globals__"),
        (b"c" + LOSS[:-1] + b".__init__\n.", "__init__"),
        (b"c__torch__.model\nNet\n.", "__torch__.model.Net"),
    ],
)
def test_sentence_says_what_the_file_wanted(opcodes: bytes, wanted: str) -> None:
    with pytest.raises(CheckpointError, match="nothing in the file was run") as error:
        read(b"\x80\x02" + opcodes)
    assert wanted in str(error.value)


@pytest.mark.parametrize(
    "opcodes",
    [
        b"(ios\nsystem\n.",  # INST
        b"(cos\nsystem\no.",  # OBJ
        b"\x82\x01.",  # EXT1, the copyreg registry
        b"Pstorage\n.",  # a persistent id that is text
        b"]Q.",  # ... and one that is a list
        b"(X\x07\x00\x00\x00storagetQ.",
        storage(-1) + b".",
        storage(2**62) + b".",
        storage(1) + storage(2) + b".",  # one key, two sizes
        b"}]K\x01s.",  # a list as a key
        b"}(K\x01u.",  # a key without a value
        b"}\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x7fK\x01s.",  # an unusual key
        b")K\x01a.",  # append to a tuple
        b"K\x01}b.",  # attributes for a number
        b"ccollections\nOrderedDict\nK\x01R.",  # arguments that are no tuple
        b"ccollections\nOrderedDict\n(ctorch\nFloatStorage\ntR.",
        b"K\x01)R.",  # call a number
        b"h\x05.",  # memo that was never filled
        b"\x86.",  # tuple of two from an empty stack
        b".",
        b"",
        b"K",
        b"\x8b\xff\xff\xff\x7f.",  # LONG4 of 2 GiB
        b"X\xff\xff\xff\xff.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"not a pickle",
    ],
)
def test_malformed_pickles_are_refused(opcodes: bytes) -> None:
    with pytest.raises(CheckpointError):
        read(opcodes)


@pytest.mark.parametrize(
    ("shape", "stride"),
    [
        ((2, 4), (4, 1)),  # one row too many
        ((2, 3), (6, 1)),
        ((7,), (0,)),  # more elements than the storage has
        ((2,), (-1,)),
        ((-2,), (1,)),
        ((2,), (1, 1)),
        ((1,), (2**62,)),
        ((1,) * 9, (1,) * 9),
    ],
)
def test_tensor_beyond_its_storage_is_refused(
    shape: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    with pytest.raises(CheckpointError, match="beyond its own numbers"):
        read(b"\x80\x02" + tensor(storage(), shape, stride) + b".")


def test_deep_nesting_is_harmless() -> None:
    depth = 200_000
    nested = read(b"\x80\x02]" + b"\x85" * depth + b".")
    for _ in range(depth):
        (nested,) = nested
    assert nested == []
    with pytest.raises(CheckpointError, match="dictionary"):
        read(b"\x80\x02})" + b"\x85" * depth + b"K\x01s.")


def test_distant_memo_entry_takes_no_memory() -> None:
    assert read(b"\x80\x02K\x07r\xff\xff\xff\xffj\xff\xff\xff\xff\x86.") == (7, 7)
