"""The known checkpoints: the bundled default, the published ones, the imported ones."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from uuid import uuid4

import platformdirs

from napari_simpleclick.modeling.config import VARIANTS
from napari_simpleclick.modeling.torch_import import import_torch

_LOG = logging.getLogger(__name__)
_WEIGHTS = Path(__file__).parent.parent / "weights"
_RECORD = ".record.json"

PUBLISHED_URL = "https://github.com/uncbiag/SimpleClick"
_MIT_CODE = "MIT for the code; the authors state none for the weights"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """What is known of one checkpoint.

    Parameters
    ----------
    name : str
        Under this name `load_checkpoint` finds it.
    title : str
        For people to read.
    source : str
        Where it comes from: a web page, or the file that was imported.
    variant : str or None
        A key of `VARIANTS`; None for any other architecture.
    licence, training_data : str
        Empty where not known.
    path : Path or None
        Where the file is, or will be; None where it has to be imported first.
    sha256 : str or None
        Hexadecimal digest of the file, recorded when it was imported.
    """

    name: str
    title: str
    source: str
    variant: str | None = None
    licence: str = ""
    training_data: str = ""
    path: Path | None = None
    sha256: str | None = None

    @property
    def is_available(self) -> bool:
        """Whether the file is on this computer."""
        return self.path is not None and self.path.is_file()


def _published(name: str, variant: str, training_data: str) -> CatalogEntry:
    title = f"photographs ({variant}, {training_data})"
    return CatalogEntry(name, title, PUBLISHED_URL, variant, _MIT_CODE, training_data)


KNOWN = (
    CatalogEntry(
        name="default",
        title="MRI and EM (xtiny)",
        source="bundled; its model card lies beside it",
        variant="xtiny",
        licence="MIT",
        training_data="synthetic slices, openly licensed MRI, CT and microscopy",
        path=_WEIGHTS / "simpleclick-xtiny-bio.safetensors",
    ),
    _published("cocolvis_vit_base", "base", "COCO+LVIS"),
    _published("cocolvis_vit_large", "large", "COCO+LVIS"),
    _published("cocolvis_vit_huge", "huge", "COCO+LVIS"),
    _published("sbd_vit_xtiny", "xtiny", "SBD"),
    _published("sbd_vit_base", "base", "SBD"),
    _published("sbd_vit_large", "large", "SBD"),
    _published("sbd_vit_huge", "huge", "SBD"),
)
"""The bundled checkpoint and the authors' own, which `import_checkpoint` takes in.

The authors share theirs in a folder linked at `PUBLISHED_URL`, without checksums.
"""


def list_models(directory: Path | None = None) -> tuple[CatalogEntry, ...]:
    """List every known checkpoint, the bundled one first.

    Parameters
    ----------
    directory : Path or None
        Where imported checkpoints are kept; None for the user's data directory.

    Returns
    -------
    tuple of CatalogEntry
        The known ones, then the imported ones under other names.
    """
    imported = _imported(_directory(directory))
    known = tuple(
        replace(entry, path=found.path, sha256=found.sha256)
        if (found := imported.pop(entry.name, None))
        else entry
        for entry in KNOWN
    )
    return known + tuple(imported.values())


def resolve(name: str, directory: Path | None = None) -> Path:
    """Find the file of a checkpoint.

    Parameters
    ----------
    name, directory : str, Path or None
        As in `list_models`.

    Returns
    -------
    Path
        An existing file.

    Raises
    ------
    ValueError
        If no checkpoint has this name.
    FileNotFoundError
        If the file is not on this computer.
    """
    entries = {entry.name: entry for entry in list_models(directory)}
    if name not in entries:
        raise ValueError(
            f"name: {name!r} is no known checkpoint; known are {', '.join(entries)}"
        )
    entry = entries[name]
    if entry.path is None:
        raise FileNotFoundError(
            f"{name} is not on this computer: get {name}.pth by way of {entry.source} "
            "and import the file"
        )
    if not entry.path.is_file():
        raise FileNotFoundError(f"{name}: there is no file {entry.path}")
    return entry.path


def find_checkpoint(name_or_path: str | Path) -> Path:
    """Find the file that a name of the catalogue, or a path, stands for.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    names = [entry.name for entry in list_models()]
    if isinstance(name_or_path, str) and name_or_path in names:
        return resolve(name_or_path)
    path = Path(name_or_path)
    if not path.exists():
        raise FileNotFoundError(
            f"there is no file {path}; known are {', '.join(names)}"
        )
    return path


def import_checkpoint(
    path: str | Path, directory: Path | None = None, *, sha256: str | None = None
) -> CatalogEntry:
    """Copy a checkpoint to where `load_checkpoint` finds it by name.

    The name is the file's, without its suffix; where another checkpoint has it, the
    first of NAME-2, NAME-3, ... that is free. The file is loaded first, so that one
    which cannot be used is never kept, and one that is kept already stays as it is.

    Parameters
    ----------
    path : str or Path
        A file that `load_checkpoint` can read.
    directory : Path or None
        As in `list_models`.
    sha256 : str or None
        The digest that the file should have, in hexadecimal; None takes any.

    Returns
    -------
    CatalogEntry
        The new entry, with the digest of the copy.

    Raises
    ------
    CheckpointError
        If the file is no checkpoint.
    FileNotFoundError
        If there is no such file.
    OSError
        If the copy cannot be written.
    ValueError
        If the digest is another, or the name is that of a published one of another
        variant.
    """
    import_torch()
    from napari_simpleclick.modeling.checkpoint import load_checkpoint

    source, kept = Path(path), _directory(directory)
    config = load_checkpoint(source).config
    entry = CatalogEntry(
        name=source.stem,
        title=source.stem,
        source=str(source.resolve()),
        variant=next((k for k, v in VARIANTS.items() if v == config), None),
        path=kept / source.name,
    )
    _check_variant(entry)
    try:
        return _keep(entry, source, sha256, kept)
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"{entry.path} cannot be written: {reason}") from error


def _keep(
    entry: CatalogEntry, source: Path, sha256: str | None, kept: Path
) -> CatalogEntry:
    """Copy the file and write the record; return the entry with the copy's digest."""
    kept.mkdir(parents=True, exist_ok=True)
    partial = kept / f".{uuid4().hex}"
    try:
        shutil.copyfile(source, partial)
        digest = digest_of(partial)
        if sha256 is not None and digest != sha256.strip().lower():
            raise ValueError(f"sha256: {source} has {digest}, expected {sha256}")
        name = _free_name(entry.name, digest, kept)
        path = kept / f"{name}{source.suffix}"
        entry = replace(entry, name=name, title=name, path=path, sha256=digest)
        partial.replace(path)
        _write_record(entry, kept)
    finally:
        partial.unlink(missing_ok=True)
    return entry


def _directory(directory: Path | None) -> Path:
    return (
        directory or platformdirs.user_data_path("napari-simpleclick") / "checkpoints"
    )


def _imported(directory: Path) -> dict[str, CatalogEntry]:
    """Read the records; one that cannot be read is left out, with a warning."""
    entries = {}
    for record in sorted(directory.glob(f"*{_RECORD}")):
        name = record.name.removesuffix(_RECORD)
        try:
            values = json.loads(record.read_text(encoding="utf-8"))
            path = directory / Path(values.pop("file")).name
            entries[name] = CatalogEntry(name=name, path=path, **values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            _LOG.warning("%s is no record of a checkpoint: %s", record, error)
    return entries


def _write_record(entry: CatalogEntry, directory: Path) -> None:
    values = {
        "title": entry.title,
        "source": entry.source,
        "variant": entry.variant,
        "sha256": entry.sha256,
        "file": entry.path.name if entry.path else None,
    }
    text = json.dumps(values, indent=2)
    (directory / f"{entry.name}{_RECORD}").write_text(text, encoding="utf-8")


def _free_name(stem: str, digest: str, kept: Path) -> str:
    """Find a name that no other checkpoint has, whatever its capitals."""
    bundled, *others = list_models(kept)
    taken = {e.name for e in others if e.is_available and e.sha256 != digest}
    folded = {name.casefold() for name in (bundled.name, *taken)}
    names = chain((stem,), (f"{stem}-{number}" for number in count(2)))
    return next(name for name in names if name.casefold() not in folded)


def _check_variant(new: CatalogEntry) -> None:
    _, *published = KNOWN
    known = {entry.name: entry.variant for entry in published}
    if known.get(new.name, new.variant) != new.variant:
        raise ValueError(
            f"path: {new.name} is the published network {known[new.name]}, and "
            f"{new.source} holds another; rename it before importing it"
        )


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
