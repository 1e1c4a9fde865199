"""RuntimeCache: what was found out about a runtime, and its compiled network, on disk.

One file holds one record: a line of JSON, then the bytes of the compiled network. One
that is damaged, or that was made with other versions or on another processor, counts as
missing, and the next one written takes its place.
"""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

import platformdirs

from napari_simpleclick.modeling.config import SimpleClickConfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_simpleclick.modeling.runtimes.runtime import RuntimeName

_LOG = logging.getLogger(__name__)
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class RuntimeKey:
    """What a record is valid for.

    Parameters
    ----------
    checkpoint : str
        Hexadecimal SHA-256 of the checkpoint file.
    runtime : str
        Name of the runtime.
    size : int or None
        Side of the input in pixels; None for that of the network's configuration.
    made_with : mapping of str to str
        Versions and processor; the same in all entries, or the record is stale.
    """

    checkpoint: str
    runtime: RuntimeName
    size: int | None
    made_with: Mapping[str, str]

    @property
    def file_name(self) -> str:
        """One file for each checkpoint, runtime and size; newer versions replace it."""
        return f"{self.checkpoint[:16]}-{self.runtime}-{self.size or 'own'}.bin"


@dataclass(frozen=True, slots=True)
class RuntimeRecord:
    """What is remembered.

    Parameters
    ----------
    config : SimpleClickConfig
        The network's.
    agreement : float
        With torch in float32, see `measure_agreement`.
    blob : bytes
        The compiled network; empty where there is none to keep.
    """

    config: SimpleClickConfig
    agreement: float
    blob: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class RuntimeCache:
    """Records in a folder.

    Parameters
    ----------
    folder : Path
        Made when the first record is written.
    """

    folder: Path

    @classmethod
    def of_user(cls) -> Self:
        """Return the cache in the user's cache directory."""
        return cls(platformdirs.user_cache_path("napari-simpleclick") / "runtimes")

    def read(self, key: RuntimeKey) -> RuntimeRecord | None:
        """Return a record, None where there is no valid one."""
        path = self.folder / key.file_name
        try:
            with path.open("rb") as file:  # a large one is in memory only once
                head, blob = json.loads(file.readline()), file.read()
            if head["key"] != _head_of(key):
                _LOG.info("%s was made for other versions", path)
            elif head["sha256"] != hashlib.sha256(blob).hexdigest():
                _LOG.warning("%s is damaged", path)
            else:
                config = SimpleClickConfig.from_dict(head["config"])
                return RuntimeRecord(config, float(head["agreement"]), blob)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            _LOG.warning("%s cannot be read: %s", path, error)
        return None

    def write(self, key: RuntimeKey, record: RuntimeRecord) -> None:
        """Keep a record, whole or not at all; a full disk is only worth a warning."""
        path = self.folder / key.file_name
        head = {
            "key": _head_of(key),
            "config": record.config.to_dict(),
            "agreement": record.agreement,
            "sha256": hashlib.sha256(record.blob).hexdigest(),
        }
        partial = path.with_name(f".{uuid4().hex}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(json.dumps(head).encode() + b"\n")
                file.write(record.blob)
            partial.replace(path)
        except OSError as error:
            _LOG.warning("%s cannot be kept for the next start: %s", path, error)
            with suppress(OSError):
                partial.unlink()


def _head_of(key: RuntimeKey) -> dict[str, Any]:
    return {**asdict(key), "made_with": dict(key.made_with), "format": _FORMAT}
