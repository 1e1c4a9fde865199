"""Known checkpoints are listed; others are imported from files, and only whole ones."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_simpleclick.modeling.catalog import (
    KNOWN,
    PUBLISHED_URL,
    import_checkpoint,
    list_models,
    resolve,
)
from napari_simpleclick.modeling.checkpoint import (
    CheckpointError,
    export_published,
    load_checkpoint,
)
from napari_simpleclick.modeling.config import VARIANTS, SimpleClickConfig
from napari_simpleclick.modeling.simpleclick import SimpleClick
from tests import golden
from tests.ordinary_user import MAIN, run_as_ordinary_user

OFFICIAL = golden.FIXTURES / "official_format_small.pth"
DIGEST = hashlib.sha256(OFFICIAL.read_bytes()).hexdigest()
TINY = SimpleClickConfig(
    image_size=64,
    embed_dim=16,
    depth=4,
    num_heads=2,
    neck_dims=(4, 8, 8, 8),
    head_dim=8,
)


def tiny(path: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    export_published(SimpleClick(TINY), path)
    return path


def test_known_checkpoints(tmp_path: Path) -> None:
    assert list_models(tmp_path) == KNOWN
    names = [entry.name for entry in KNOWN]
    assert names[0] == "default"
    assert len(set(names)) == len(names)
    assert all(entry.variant in VARIANTS for entry in KNOWN)
    for entry in KNOWN[1:]:
        assert (entry.source, entry.path, entry.sha256) == (PUBLISHED_URL, None, None)
        assert not entry.is_available


def test_bundled_checkpoint_loads_where_it_is_present(tmp_path: Path) -> None:
    default = list_models(tmp_path)[0]
    if default.is_available:
        assert resolve("default", tmp_path) == default.path
        config = load_checkpoint().config
        assert config.second_look
        assert config.flood
        assert config.obey_clicks
        as_published = {
            "min_crop": 200,
            "recompute_iou": 0.5,
            "crop_snap": 0,
            "second_look": False,
            "glance_size": 0,
            "flood": False,
            "exact_clicks": False,
            "obey_clicks": False,
            "steady": False,
        }
        assert replace(config, **as_published) == VARIANTS["xtiny"]
    else:
        with pytest.raises(FileNotFoundError, match=r"no file .*bio\.safetensors"):
            resolve("default", tmp_path)


def test_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'sam' is no known .*default, cocolvis_vit_"):
        resolve("sam", tmp_path)


def test_published_one_has_to_be_imported_first(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"get sbd_vit_huge\.pth .*uncbiag"):
        resolve("sbd_vit_huge", tmp_path)


def test_import_copies_records_and_resolves(tmp_path: Path) -> None:
    kept = tmp_path / "kept" / "here"
    entry = import_checkpoint(OFFICIAL, kept, sha256=f" {DIGEST.upper()}\n")
    assert (entry.name, entry.sha256, entry.variant) == (OFFICIAL.stem, DIGEST, None)
    assert entry.path == kept / OFFICIAL.name
    assert entry.path.read_bytes() == OFFICIAL.read_bytes()
    assert list_models(kept) == (*KNOWN, entry)
    assert resolve(OFFICIAL.stem, kept) == entry.path
    assert load_checkpoint(entry.path).config == load_checkpoint(OFFICIAL).config
    assert import_checkpoint(OFFICIAL, kept) == entry  # again changes nothing
    assert len(list(kept.iterdir())) == 2


def test_imported_file_of_a_known_name_takes_its_place(tmp_path: Path) -> None:
    source = tmp_path / "sbd_vit_xtiny.pth"
    export_published(SimpleClick(VARIANTS["xtiny"]), source)
    kept = tmp_path / "kept"
    imported = import_checkpoint(source, kept)
    listed = {entry.name: entry for entry in list_models(kept)}
    assert len(listed) == len(KNOWN)
    entry = listed["sbd_vit_xtiny"]
    assert entry.is_available
    assert (entry.path, entry.sha256) == (imported.path, imported.sha256)
    assert (entry.source, entry.training_data) == (PUBLISHED_URL, "SBD")


def test_variant_is_recognised(tmp_path: Path) -> None:
    source = tmp_path / "mine.pth"
    export_published(SimpleClick(VARIANTS["xtiny"]), source)
    assert import_checkpoint(source, tmp_path / "kept").variant == "xtiny"


def test_user_data_directory_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_data_path", lambda _: tmp_path)
    source = tiny(tmp_path / "mine.pth")
    import_checkpoint(source)
    assert resolve("mine") == tmp_path / "checkpoints" / "mine.pth"
    assert load_checkpoint("mine").config == TINY


def test_nothing_is_kept_of_a_file_that_is_refused(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    (tmp_path / "bad.pth").write_bytes(OFFICIAL.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match=r"bad\.pth is"):
        import_checkpoint(tmp_path / "bad.pth", kept)
    with pytest.raises(ValueError, match=f"sha256: .* has {DIGEST}, expected 00"):
        import_checkpoint(OFFICIAL, kept, sha256="00")
    with pytest.raises(FileNotFoundError):
        import_checkpoint(tmp_path / "nowhere.pth", kept)
    assert list_models(kept) == KNOWN
    assert not list(kept.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="others keep files elsewhere")
@pytest.mark.parametrize("exists", [False, True])
def test_where_nothing_can_be_kept_the_file_is_named(
    exists: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "share" / "napari-simpleclick" / "checkpoints"
    if exists:
        folder.mkdir(parents=True)
        folder.chmod(0o500)
    else:
        tmp_path.joinpath("share").mkdir(mode=0o500)
    place = {"XDG_DATA_HOME": str(tmp_path / "share"), "HOME": str(tmp_path)}
    done = run_as_ordinary_user(MAIN, "models", "--import", OFFICIAL, **place)
    kept = folder / OFFICIAL.name
    told = f"napari-simpleclick: {kept} cannot be written: Permission denied"
    assert done.stderr.splitlines() == [told]
    assert done.returncode == 1
    assert not list(tmp_path.rglob("*.pth"))


def test_another_checkpoint_of_the_same_name_is_kept_beside_the_first(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "kept"
    first = import_checkpoint(tiny(tmp_path / "mine.pth"), kept)
    assert first.path is not None
    content = first.path.read_bytes()
    second = import_checkpoint(tiny(tmp_path / "mine.pth", seed=1), kept)
    third = import_checkpoint(tiny(tmp_path / "mine.pth", seed=2), kept)
    named = import_checkpoint(tiny(tmp_path / "default.pth"), kept)
    assert [first.name, second.name, third.name] == ["mine", "mine-2", "mine-3"]
    assert named.name == "default-2"
    assert first.path.read_bytes() == content
    again = import_checkpoint(tiny(tmp_path / "mine.pth", seed=1), kept)
    assert again == second
    assert len(list_models(kept)) == len(KNOWN) + 4
    first.path.unlink()
    assert import_checkpoint(tmp_path / "mine.pth", kept).name == "mine"


def test_names_differ_by_more_than_capitals(tmp_path: Path) -> None:
    kept = tmp_path / "kept"  # Windows and macOS take Mine.pth for mine.pth
    import_checkpoint(tiny(tmp_path / "mine.pth"), kept)
    second = import_checkpoint(tiny(tmp_path / "Mine.pth", seed=1), kept)
    assert second.name == "Mine-2"


def test_a_published_name_stands_for_its_own_variant(tmp_path: Path) -> None:
    source, kept = tiny(tmp_path / "cocolvis_vit_huge.pth"), tmp_path / "kept"
    told = r"cocolvis_vit_huge is the published network huge.* holds another; rename it"
    with pytest.raises(ValueError, match=told):
        import_checkpoint(source, kept)
    assert list_models(kept) == KNOWN


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"file": 3}', '{"file": "a", "x": 1}']
)
def test_broken_records_are_left_out_with_a_warning(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken.record.json").write_text(text, encoding="latin-1")
    with caplog.at_level(logging.WARNING):
        assert list_models(tmp_path) == KNOWN
    assert "broken.record.json" in caplog.text


def test_listing_needs_no_torch() -> None:
    code = (
        "import sys; from napari_simpleclick.modeling.catalog import list_models; "
        "list_models(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
