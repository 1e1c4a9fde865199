"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a file to write that takes the place of another once it is complete.

    A crash, a full disk or an exception in the block leaves the old file as it was.
    The new one gets its permissions, and nobody else can read it before.

    Parameters
    ----------
    path : path-like
        The file to create or replace; its folder is made, too. A link is followed.

    Yields
    ------
    Path
        A new name in the same folder, short, with the same suffixes.

    Raises
    ------
    OSError
        If the file cannot be written, or is write-protected: it names the path, not the
        new name.
    """
    with _refusing(path):
        target, mode = _target(path)
        target.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(target, target.parent)
    try:
        with naming(path, partial):
            if mode is not None:
                partial.touch(stat.S_IRUSR | stat.S_IWUSR)
            yield partial
            if mode is not None:
                with suppress(OSError):  # not every file system has permissions
                    partial.chmod(mode)
            os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def naming(
    path: str | os.PathLike[str], partial: str | os.PathLike[str] = ""
) -> Iterator[None]:
    """Let the error of a failed write name the file, which a full disk's does not.

    Parameters
    ----------
    path : path-like
        The file that is asked for.
    partial : path-like
        What it is written to, if that has another name.

    Raises
    ------
    OSError
        In place of one of the system that names `partial`, or no file.
    """
    try:
        yield
    except OSError as error:
        is_write = error.errno is not None and error.filename is None
        if is_write or str(error.filename) == str(partial):
            raise _unwritable(path, error) from error
        raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a file that `replacing` could not write, before it is computed.

    Parameters
    ----------
    path : path-like
        The file to create or replace.

    Raises
    ------
    OSError
        If it is a folder or write-protected, or nothing can be created in its folder;
        of folders that are not there yet, in the first one above that is.
    """
    with _refusing(path):
        target, _ = _target(path)
        folder = next(folder for folder in target.parents if folder.exists())
        probe = _beside(target, folder)
        probe.touch()
        probe.unlink()
        for name in target.relative_to(folder).parts:  # too long a name, for example
            with suppress(FileNotFoundError):
                (folder / name).lstat()


@contextmanager
def _refusing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let every error of the system name the file that is asked for."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # it has words of its own
            raise
        raise _unwritable(path, error) from error


def _target(path: str | os.PathLike[str]) -> tuple[Path, int | None]:
    """Follow links; return the file and, where it can be replaced, its permissions."""
    target = Path(os.path.realpath(path))  # whose links may be a loop, as stat tells
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target, None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{path} is a folder; expected a file name")
    if not stat.S_ISREG(mode):
        raise OSError(f"{path} is no ordinary file, and would be replaced by one")
    if not os.access(target, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    return target, stat.S_IMODE(mode)


def _beside(target: Path, folder: Path) -> Path:
    """Name a new file: the end of the name has the suffixes, the whole may not fit."""
    return folder / f".{uuid.uuid4().hex[:8]}-{target.name[-16:]}"


def _unwritable(path: str | os.PathLike[str], error: OSError) -> OSError:
    return OSError(f"{path} cannot be written: {error.strerror}")
