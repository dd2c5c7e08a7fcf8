"""Folders forced to the disk and renamed into place, locks, hashes; a full disk told apart from everything else."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from studio.errors import StorageError, WeightsError
from studio.files import FORBIDDEN, FULL


def file_hash(path: Path) -> str:
    """SHA-256 of a file as lower-case hex; read once per (path, size, time of change) in a process."""
    status = path.stat()
    return _file_hash(str(path), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _file_hash(path: str, size: int, mtime_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turn what the system says when a file can not be written into a :class:`StorageError`.

    Raises:
        StorageError: ``disk_full`` (retryable), ``not_writable`` or ``not_written``.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageError(
                "disk_full",
                f"The disk of {where} is full. Free some space, or point IMODEL_WEIGHTS to a larger disk; "
                "what was fetched so far is kept and the same command goes on from there.",
                retryable=True,
            ) from error
        place, reason = error.filename or where, error.strerror or str(error)
        if error.errno in FORBIDDEN:
            raise StorageError(
                "not_writable", f"{place} may not be used ({reason}). Change its owner or rights."
            ) from error
        raise StorageError("not_written", f"{where} could not be filled: {place}: {reason}.") from error


@contextmanager
def locked(path: Path, *, doing: str) -> Iterator[None]:
    """Hold ``path`` as a lock so that two processes never fill one folder; released when the process ends.

    Raises:
        WeightsError: ``weights_busy`` (retryable) when another process holds it.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise WeightsError(
            "weights_busy", f"Another process is {doing}. Wait for it to end and try again.", retryable=True
        ) from None
    try:
        yield
    finally:
        lock.release()


def require_room(folder: Path, needed: int) -> None:
    """Raise ``disk_full`` before anything is written when ``folder``'s disk has less than ``needed`` bytes free."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise StorageError(
            "disk_full",
            f"{needed / 1e9:.1f} GB are needed in {folder} and {free / 1e9:.1f} GB are free. "
            "Free some space, or point IMODEL_WEIGHTS to a larger disk.",
            retryable=True,
        )


def sync_file(path: Path) -> None:
    """Force a file's content to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Force a folder's names to the disk, so that a rename outlives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(root: Path) -> None:
    """Force everything below ``root`` to the disk, contents before names."""
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
        else:
            sync_file(path)
    sync_folder(root)


def swap_in(ready: Path, home: Path, *, trash: Path) -> None:
    """Put the folder ``ready`` in the place of ``home`` by renames only; what was there goes by way of ``trash``.

    A crash between the two renames leaves nothing at ``home``, never a mixture: the next run publishes again.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(trash, ignore_errors=True)
    if home.exists():
        trash.parent.mkdir(parents=True, exist_ok=True)
        home.rename(trash)
    ready.rename(home)
    sync_folder(home.parent)
    shutil.rmtree(trash, ignore_errors=True)


def folder_bytes(root: Path) -> int:
    """Bytes of all files below ``root``."""
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
