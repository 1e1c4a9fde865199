"""Every kind of checkpoint loads; everything else is refused in one sentence."""

from __future__ import annotations

import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from napari_simpleclick.modeling.checkpoint import (
    CheckpointError,
    export_published,
    load_checkpoint,
    save_checkpoint,
)
from napari_simpleclick.modeling.config import VARIANTS, SimpleClickConfig
from napari_simpleclick.modeling.published_format import unused_parameters
from napari_simpleclick.modeling.simpleclick import SimpleClick
from tests import golden

OFFICIAL = golden.FIXTURES / "official_format_small.pth"
TINY = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
    click_radius=3,
)
WIDE = replace(TINY, embed_dim=160, num_heads=4, click_radius=5)
"""As wide as a published variant: what a bare state dict is recognised by."""
Change = Callable[[dict[str, torch.Tensor]], object]


def network(config: SimpleClickConfig = TINY, seed: int = 0) -> SimpleClick:
    """A network whose weights float16 can hold exactly."""
    torch.manual_seed(seed)
    model = SimpleClick(config).eval()
    for parameter in model.parameters():
        parameter.data = torch.randn_like(parameter).half().float()
    return model


def assert_same(model: SimpleClick, other: SimpleClick) -> None:
    assert model.config == other.config
    state, other_state = model.state_dict(), other.state_dict()
    assert state.keys() == other_state.keys()
    for name, tensor in state.items():
        assert torch.equal(tensor, other_state[name]), name


def bare(tmp_path: Path, change: Change) -> Path:
    """Save a state dict without configuration, as `change` returns it."""
    path = tmp_path / "bare.pth"
    torch.save(change(dict(network(WIDE).state_dict())), path)
    return path


def test_published_file_reproduces_the_recorded_output() -> None:
    recorded = golden.load("forward_official_format_small.npz")
    image, prev_mask = golden.inputs(77, (2, 448, 448))
    points = torch.from_numpy(recorded["points"]).float()
    model = load_checkpoint(OFFICIAL)
    with torch.inference_mode():
        logits = model(image, prev_mask, points)[:, :, ::8, ::8].numpy()
    np.testing.assert_allclose(logits, recorded["logits_stride8"], rtol=0, atol=1e-3)


def test_loaded_network_is_ready_for_inference() -> None:
    state = torch.get_rng_state()
    model = load_checkpoint(str(OFFICIAL))
    assert torch.equal(state, torch.get_rng_state())
    assert not model.training
    tensors = [*model.parameters(), *model.buffers()]
    assert {(t.dtype, t.device.type) for t in tensors} == {(torch.float32, "cpu")}
    assert all(p.requires_grad for p in model.parameters())
    assert torch.equal(model.mean, SimpleClick(model.config).mean)
    assert torch.equal(model.std, SimpleClick(model.config).std)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_own_file_round_trip_is_exact(dtype: torch.dtype, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_checkpoint(network(), path, dtype=dtype)
    assert_same(load_checkpoint(path), network())
    assert {tensor.dtype for tensor in load_file(path).values()} == {dtype}


def test_metadata_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_checkpoint(network(), path, metadata={"licence": "CC-BY-4.0"})
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["licence"] == "CC-BY-4.0"
    with pytest.raises(ValueError, match="config"):
        save_checkpoint(network(), path, metadata={"config": "{}"})


def test_export_loads_back_and_is_what_the_published_code_expects(
    tmp_path: Path,
) -> None:
    path = tmp_path / "export.pth"
    model = network(VARIANTS["xtiny"])
    export_published(model, path)
    assert_same(load_checkpoint(path), model)
    content = torch.load(path, weights_only=True)  # no pickled object of theirs
    assert content.keys() == {"state_dict", "config"}
    shapes = {name: list(t.shape) for name, t in content["state_dict"].items()}
    assert shapes == {k: list(t.shape) for k, t in golden.parameters("xtiny").items()}
    assert content["config"]["params"]["head_params"]["value"]["loss_decode"] is None


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state,
        lambda state: {f"module.{name}": t for name, t in state.items()},
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: state | unused_parameters(WIDE),
        lambda state: {name: t.half() for name, t in state.items()},
        lambda state: {name: t.double() for name, t in state.items()},
        lambda state: {name: torch.nn.Parameter(t) for name, t in state.items()},
    ],
    ids=["bare", "DataParallel", "nested", "unused", "float16", "float64", "parameter"],
)
def test_state_dict_without_configuration(change: Change, tmp_path: Path) -> None:
    assert_same(load_checkpoint(bare(tmp_path, change)), network(WIDE))


def test_state_dict_in_other_formats(tmp_path: Path) -> None:
    model = network(WIDE)
    state = {name: t.bfloat16() for name, t in model.state_dict().items()}
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    save_file(state, tmp_path / "bare.safetensors")
    shutil.copy(tmp_path / "bare.safetensors", tmp_path / "misnamed.pth")
    old = load_checkpoint(tmp_path / "old.pt")
    assert torch.equal(old.backbone.pos_embed, state["backbone.pos_embed"].float())
    assert_same(load_checkpoint(tmp_path / "bare.safetensors"), old)
    assert_same(load_checkpoint(tmp_path / "misnamed.pth"), old)


def without(part: str) -> Change:
    return lambda state: {k: t for k, t in state.items() if part not in k}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("convs.0."), r"lacks tensors: head\.convs\.0\S+bias, \S+weight$"),
        (without(".attn."), r"lacks tensors: \S+, \S+, \S+ and 13 more$"),
        (without("backbone.pos"), r"it has no tensor backbone\.pos_embed$"),
        (without(""), "holds no state dict$"),
        (
            lambda state: state | {"head.extra": torch.ones(1)},
            r"has unknown tensors: head\.extra$",
        ),
    ],
)
def test_missing_and_extra_tensors_are_named(
    change: Change, message: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(bare(tmp_path, change))


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.ones(7), r"has mis-shaped tensors: neck\.down_8\.0\.bias$"),
        (torch.ones(80).long(), r"has non-float tensors: neck\.down_8\.0\.bias$"),
        (torch.full((80,), torch.nan), r"not finite, in neck\.down_8\.0\.bias$"),
        (torch.ones(80).double() * 1e300, r"not finite, in neck\.down_8\.0\.bias$"),
    ],
    ids=["shape", "type", "NaN", "overflow"],
)
def test_unusable_tensors_are_named(
    tensor: torch.Tensor, message: str, tmp_path: Path
) -> None:
    path = bare(tmp_path, lambda state: state | {"neck.down_8.0.bias": tensor})
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"weights",
        b"\x89PNG\r\n\x1a\n" + bytes(99),
        b"{}",
        bytes(99),
        b"PK\x03\x04",
    ],
)
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"other\.pth is ") as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)


def test_directory_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is a directory"):
        load_checkpoint(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere\.pth"):
        load_checkpoint(tmp_path / "nowhere.pth")


def test_published_models_come_from_a_file() -> None:
    with pytest.raises(FileNotFoundError, match=r"github\.com/uncbiag/SimpleClick"):
        load_checkpoint("cocolvis_vit_huge")


class Mkdir:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("place", ["loss", "key", "tensor"])
def test_hostile_file_is_refused_and_nothing_happens(
    place: str, is_zip: bool, tmp_path: Path
) -> None:
    target, path = tmp_path / "made", tmp_path / "hostile.pth"
    content: dict[Any, Any] = {"state_dict": network().state_dict()}
    if place == "loss":
        content["config"] = {"params": {"head_params": {"loss_decode": Mkdir(target)}}}
    elif place == "tensor":
        content["state_dict"]["head.conv_seg.weight"] = Mkdir(target)
    else:
        content[Mkdir(target)] = 1
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(CheckpointError, match=r"asks for '(posix|nt)\.mkdir'"):
        load_checkpoint(path)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "config",
    [
        "not json",
        "[]",
        "[" * 10_000,
        '{"depth": "4"}',
        '{"depth": NaN}',
        '{"patch_size": 0}',
        '{"layers": 4}',
        '{"num_heads": 2.0}',
        '{"embed_dim": 1000000000}',
        '{"depth": 1000000000}',
        '{"num_heads": 2, "patch_size": 8, "glance_size": 8}',
    ],
)
def test_own_configuration_must_fit_the_tensors(config: str, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_file(network().state_dict(), path, metadata={"config": config})
    with pytest.raises(CheckpointError):
        load_checkpoint(path)


def saved(kind: str, path: Path) -> None:
    """One network in each of the formats."""
    if kind == "safetensors":
        save_checkpoint(network(), path)
        return
    export_published(network(), path)
    if kind == "legacy":
        content = torch.load(path, weights_only=True)
        torch.save(content, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
def test_truncated_files_are_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    saved(kind, path)
    data = path.read_bytes()
    rng = np.random.Generator(np.random.Philox(key=1))
    lengths = {*range(0, 200, 8), len(data) - 1, *rng.integers(0, len(data), 30)}
    for length in lengths:
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError) as error:
            load_checkpoint(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
def test_damaged_files_are_refused_or_whole(kind: str, tmp_path: Path) -> None:
    """The zip format carries checksums; the others cannot tell two numbers apart."""
    path = tmp_path / "damaged"
    saved(kind, path)
    data = path.read_bytes()
    rng = np.random.Generator(np.random.Philox(key=2))
    refused = 0
    for position in (*rng.integers(0, len(data), 50), *rng.integers(0, 3000, 50)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            model = load_checkpoint(path)
        except CheckpointError:
            refused += 1
            continue
        assert all(t.isfinite().all() for t in model.state_dict().values())
        if kind == "zip":
            assert_same(model, network())
    assert refused > 10


def test_saving_replaces_a_file_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    path.write_bytes(b"before")
    broken = network()
    broken.head.conv_seg.bias.data.fill_(1e6)
    with pytest.raises(ValueError, match=r"conv_seg.bias is not finite in .*float16"):
        save_checkpoint(broken, path)
    with pytest.raises(TypeError):
        save_checkpoint(network(), path, metadata={"epoch": 3})  # type: ignore[dict-item]
    assert path.read_bytes() == b"before"
    assert sorted(tmp_path.iterdir()) == [path]
    save_checkpoint(broken, path, dtype=torch.float32)
    assert_same(load_checkpoint(path), broken)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="no other modes than read-only there")
def test_others_may_read_a_checkpoint_as_any_file(tmp_path: Path) -> None:
    usual, path = tmp_path / "usual.txt", tmp_path / "mine.safetensors"
    usual.touch()
    network = load_checkpoint()
    save_checkpoint(network, path)
    assert path.stat().st_mode == usual.stat().st_mode
    path.chmod(0o640)
    save_checkpoint(network, path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_system_without_permissions_keeps_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)  # as a stick formatted for Windows
    saved = network()
    save_checkpoint(saved, tmp_path / "own.safetensors", dtype=torch.float32)
    assert_same(load_checkpoint(tmp_path / "own.safetensors"), saved)


def test_other_precisions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dtype"):
        save_checkpoint(network(), tmp_path / "x", dtype=torch.float64)


def test_entry_of_declared_size_beyond_the_archive(tmp_path: Path) -> None:
    """An archive whose directory lies about a size is refused before reading."""
    path = tmp_path / "lies.pth"
    shutil.copy(OFFICIAL, path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        directory = archive.start_dir
    data[directory + 20 : directory + 28] = struct.pack("<II", 2**31, 2**31)
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"damaged|compressed"):
        load_checkpoint(path)
