"""Both formats of `torch.save` are read as PyTorch reads them; the rest is refused."""

from __future__ import annotations

import pickle
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from napari_simpleclick.modeling.checkpoint_error import CheckpointError
from napari_simpleclick.modeling.torch_file import read_torch_file
from tests import golden

OFFICIAL = golden.FIXTURES / "official_format_small.pth"
DTYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
]


def rewrite(source: Path, target: Path, changes: dict[str, bytes | None]) -> None:
    """Copy an archive with some entries replaced, added or (None) left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        contents = {name: old.read(name) for name in old.namelist()}
        for name, data in (contents | changes).items():
            if data is not None:
                new.writestr(name, data)


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_as_torch_reads_it(
    dtype: torch.dtype, is_zip: bool, tmp_path: Path
) -> None:
    whole = torch.arange(24).reshape(4, 6).to(dtype)
    state = OrderedDict(
        whole=whole,
        window=whole[1:3, ::2],  # shares memory, with an offset and strides
        turned=whole.t(),
        scalar=torch.tensor(1).to(dtype),
        parameter=torch.nn.Parameter(whole, requires_grad=False),
    )
    path = tmp_path / "state.pth"
    torch.save(state, path, _use_new_zipfile_serialization=is_zip)
    content = read_torch_file(path)
    assert content.config is None
    assert content.tensors.keys() == state.keys()
    for name, tensor in state.items():
        assert content.tensors[name].dtype == dtype
        assert torch.equal(content.tensors[name], tensor)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_other_pickle_protocols(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "state.pth"
    torch.save({"state_dict": {"a": torch.ones(3)}}, path, pickle_protocol=protocol)
    assert torch.equal(read_torch_file(path).tensors["a"], torch.ones(3))


def test_published_file() -> None:
    content = read_torch_file(OFFICIAL)
    assert len(content.tensors) == 166
    assert isinstance(content.config, dict)
    for name, tensor in content.tensors.items():
        assert torch.equal(tensor, golden.parameter(name, tuple(tensor.shape))), name


@pytest.mark.parametrize(
    "content",
    [
        [torch.ones(1)],
        torch.ones(1),
        {},
        {"a": 1},
        {"a": {"b": torch.ones(1)}},
        {1: torch.ones(1)},
        {"state_dict": [torch.ones(1)]},
        {"state_dict": {}},
    ],
    ids=str,
)
def test_other_contents_are_no_state_dict(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="holds no state dict"):
        read_torch_file(tmp_path / "other.pth")


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
def test_whole_models_are_refused_by_name(is_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    torch.save(torch.nn.Linear(2, 2), path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(CheckpointError, match=r"asks for 'torch\.nn\.modules"):
        read_torch_file(path)


def test_torchscript_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "script.pt"
    rewrite(OFFICIAL, path, {"official_format_small/constants.pkl": b"\x80\x02).."})
    with pytest.raises(CheckpointError, match="TorchScript"):
        read_torch_file(path)


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"weights", b"\x80\x02."])
def test_other_formats_are_refused(start: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(start + OFFICIAL.read_bytes())
    with pytest.raises(CheckpointError, match="begins like no file of weights"):
        read_torch_file(path)


def test_oldest_tar_format_is_not_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "old.pth", "w") as archive:
        archive.add(OFFICIAL, "storages")
    with pytest.raises(CheckpointError, match="begins like no file of weights"):
        read_torch_file(tmp_path / "old.pth")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"official_format_small/data.pkl": None}, "none that PyTorch wrote"),
        ({"other/data.pkl": b"."}, "none that PyTorch wrote"),
        ({"official_format_small/data.pkl": pickle.dumps(1)}, "no state dict"),
        ({"official_format_small/data.pkl": b""}, "damaged pickle"),
        ({"official_format_small/data.pkl": b"N" * 2**23}, "far more tensors"),
        ({"official_format_small/data/7": None}, "lacks the numbers of storage '7'"),
        ({"official_format_small/data/7": b"1234"}, "lacks the numbers of storage '7'"),
        ({"official_format_small/byteorder": b"big"}, "byte order"),
    ],
)
def test_changed_archives(
    changes: dict[str, bytes | None], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "changed.pth"
    rewrite(OFFICIAL, path, changes)
    with pytest.raises(CheckpointError, match=message):
        read_torch_file(path)


def test_compressed_archive_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", pickle.dumps({}))
        archive.writestr("bomb/data/0", bytes(2**26))
    assert path.stat().st_size < 2**17
    with pytest.raises(CheckpointError, match="compressed"):
        read_torch_file(path)


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
def test_file_cannot_claim_more_than_it_holds(is_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "claims.pth"
    shared = torch.ones(4096)
    state = {f"t{i}": shared.view(64, 64) for i in range(300)}
    torch.save(state, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(CheckpointError, match="claims 4915200 bytes"):
        read_torch_file(path)


def test_legacy_storage_beyond_the_end(tmp_path: Path) -> None:
    path = tmp_path / "cut.pth"
    torch.save({"a": torch.ones(999)}, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(CheckpointError, match="lacks the numbers"):
        read_torch_file(path)
    huge = (2**40).to_bytes(8, "little")
    path.write_bytes(data.replace(b"M\xe7\x03Nt", b"\x8a\x08" + huge + b"Nt"))
    with pytest.raises(CheckpointError, match="damaged"):
        read_torch_file(path)
