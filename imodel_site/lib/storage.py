"""Private files: on disk or on S3, under keys that can not be guessed and that say whose they are (docs/files.md).

A key is ``m/<merchant>/<kind>/<2 hex>/<random>.<suffix>``. Files are written before the row that refers to them and
deleted after it; what no row refers to is collected a day later.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage
from storages.backends.s3 import S3Storage

from imodel_site.lib import workplace
from studio.errors import StorageError
from studio.files import write_atomically

CHUNK = 256 * 1024
S3_BATCH = 1000  # keys that one DeleteObjects call takes


@dataclass(frozen=True)
class Stored:
    """A file that is there."""

    key: str
    bytes: int
    modified: datetime


class PrivateStorage(Protocol):
    """What both storages can do beyond Django's."""

    def listed(self, prefix: str) -> Iterator[Stored]:
        """Every file under a prefix that ends in ``/``."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The names of the folders right under a prefix that ends in ``/``."""

    def drop(self, keys: Sequence[str]) -> None:
        """Delete these; one that is not there is no error."""

    def stream(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """``length`` bytes from ``start``, in pieces."""

    def stat(self, key: str) -> Stored:
        """Size and age; FileNotFoundError when it is not there."""


class PrivateFiles(FileSystemStorage):
    """Files below one folder, readable by this user alone, each whole or absent."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name as asked: keys are random already, and a job writes the same one again when it starts over."""
        return name

    def _save(self, name: str, content: File[Any]) -> str:
        path = Path(self.path(name))

        def write(file: BinaryIO) -> None:
            os.fchmod(file.fileno(), 0o600)
            for chunk in content.chunks(CHUNK):
                file.write(chunk)

        for attempt in (1, 2):
            with _explained(name):
                os.makedirs(path.parent, mode=0o700, exist_ok=True)
            try:
                write_atomically(path, write)
                break
            except StorageError as error:
                # Whoever tidies empty folders may have taken ours between the two lines above.
                if error.code != "folder_missing" or attempt == 2:
                    raise
        return name

    def listed(self, prefix: str) -> Iterator[Stored]:
        """Every file under the prefix, parts that a killed writer left included."""
        top = Path(self.path(prefix))
        for folder, _, names in os.walk(top):
            for name in names:
                path = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):
                    status = path.stat()
                    key = prefix + path.relative_to(top).as_posix()
                    yield Stored(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def folders(self, prefix: str) -> Iterator[str]:
        """Names of the folders right under the prefix."""
        with contextlib.suppress(FileNotFoundError):
            yield from sorted(entry.name for entry in os.scandir(self.path(prefix)) if entry.is_dir())

    def drop(self, keys: Sequence[str]) -> None:
        """Delete these files, and the folders that are empty without them."""
        for key in keys:
            path = Path(self.path(key))
            path.unlink(missing_ok=True)
            self._tidy(path.parent)

    def _tidy(self, folder: Path) -> None:
        top = Path(self.location)
        with contextlib.suppress(OSError):  # not empty, or already gone
            while folder != top and top in folder.parents:
                folder.rmdir()
                folder = folder.parent

    def stream(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """Opened here, not at the first piece: a missing file must be known before an answer has begun."""
        file = open(self.path(key), "rb")
        file.seek(start)
        return _pieces(file, length)

    def stat(self, key: str) -> Stored:
        """Size and age."""
        status = os.stat(self.path(key))
        return Stored(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _pieces(file: BinaryIO, length: int) -> Iterator[bytes]:
    with file:
        while length > 0 and (piece := file.read(min(CHUNK, length))):
            length -= len(piece)
            yield piece


class PrivateS3(S3Storage):
    """A bucket, or a prefix in one; nothing in it is public."""

    def __init__(self, **settings: Any) -> None:
        from botocore.config import Config

        settings["client_config"] = Config(
            signature_version=settings.get("signature_version") or "s3v4",
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 4, "mode": "standard"},
            # S3-compatible servers know the older checksums only.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(**settings)

    def _path(self, key: str) -> str:
        return str(self._normalize_name(key))

    def listed(self, prefix: str) -> Iterator[Stored]:
        """Every object under the prefix."""
        with _explained(prefix):
            for found in self.bucket.objects.filter(Prefix=self._prefix(prefix)):
                yield Stored(prefix + found.key[len(self._prefix(prefix)) :], found.size, found.last_modified)

    def folders(self, prefix: str) -> Iterator[str]:
        """Names right under the prefix, up to their slash."""
        pages = self.bucket.meta.client.get_paginator("list_objects_v2")
        with _explained(prefix):
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=self._prefix(prefix), Delimiter="/"):
                for found in page.get("CommonPrefixes", ()):
                    yield found["Prefix"][len(self._prefix(prefix)) :].rstrip("/")

    def _prefix(self, prefix: str) -> str:
        return f"{self._path(prefix).rstrip('/')}/"

    def drop(self, keys: Sequence[str]) -> None:
        """Delete these objects, a thousand a call.

        Raises:
            StorageError: ``not_deleted``, retryable: S3 kept some.
        """
        for first in range(0, len(keys), S3_BATCH):
            wanted = [{"Key": self._path(key)} for key in keys[first : first + S3_BATCH]]
            with _explained(keys[first]):
                answer = self.bucket.delete_objects(Delete={"Objects": wanted, "Quiet": True})
            if answer.get("Errors"):
                code = answer["Errors"][0].get("Code", "")
                raise StorageError("not_deleted", f"S3 kept {len(answer['Errors'])} files ({code}).", retryable=True)

    def stream(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """A ranged read; the connection is asked before the first piece."""
        if length <= 0:
            return iter(())
        wanted = f"bytes={start}-{start + length - 1}"
        with _explained(key):
            body = self.bucket.Object(self._path(key)).get(Range=wanted)["Body"]
        return iter(body.iter_chunks(CHUNK))

    def stat(self, key: str) -> Stored:
        """Size and age."""
        with _explained(key):
            found = self.bucket.Object(self._path(key))
            return Stored(key, found.content_length, found.last_modified)


@contextlib.contextmanager
def _explained(key: str) -> Iterator[None]:
    """Disk's and S3's troubles as ``StorageError``; a missing file stays FileNotFoundError."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in ("404", "NoSuchKey", "NotFound"):
            raise FileNotFoundError(errno.ENOENT, "no such file", key) from error
        raise StorageError("storage_unavailable", f"The file storage refused ({code}).", retryable=True) from error
    except BotoCoreError as error:
        words = f"The file storage does not answer ({type(error).__name__}). Try again in a minute."
        raise StorageError("storage_unavailable", words, retryable=True) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        words = f"No file can be stored ({error.strerror})."
        raise StorageError("disk_full" if full else "not_written", words, retryable=full) from error


def private() -> Any:
    """The storage of this installation."""
    return default_storage


# --- keys ----------------------------------------------------------------------------------------------------------
def new_key(merchant_id: UUID, kind: str, suffix: str) -> str:
    """A fresh key: 192 random bits, spread over 256 folders."""
    return f"m/{merchant_id}/{kind}/{secrets.token_hex(1)}/{secrets.token_urlsafe(24)}.{suffix}"


def merchant_of(key: str) -> UUID:
    """Whose file it is, by its key."""
    return UUID(key.split("/")[1])


# --- bytes in and out ----------------------------------------------------------------------------------------------
def put(key: str, data: bytes) -> str:
    """Store bytes; afterwards the file is there whole, or as it was.

    Raises:
        StorageError: ``disk_full`` or ``storage_unavailable`` (both retryable), ``not_written``.
    """
    return put_file(key, ContentFile(data))


def put_file(key: str, content: File[Any]) -> str:
    """Store an open file, without holding it in memory."""
    with _explained(key):
        private().save(key, content)
    return key


def move_in(key: str, path: Path) -> str:
    """Store a finished file of this machine; on the same disk it is not copied. Afterwards ``path`` may be gone.

    Raises:
        StorageError: ``disk_full`` or ``storage_unavailable`` (both retryable), ``not_written``.
    """
    found = private()
    if isinstance(found, PrivateFiles):
        target = Path(found.path(key))
        with _explained(key), contextlib.suppress(CrossDevice):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _moved(path, target, key)
    with path.open("rb") as file:
        return put_file(key, File(file))


class CrossDevice(Exception):
    """The two paths lie on different disks."""


def _moved(path: Path, target: Path, key: str) -> str:
    with path.open("rb") as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())
    try:
        path.replace(target)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise CrossDevice from error
        raise
    return key


def read(key: str) -> bytes:
    """A file's bytes.

    Raises:
        FileNotFoundError: there is none.
        StorageError: ``storage_unavailable``, retryable.
    """
    with _explained(key), private().open(key, "rb") as file:
        return bytes(file.read())


def delete(*keys: str) -> None:
    """Delete files; call it once no row refers to them any more (after commit)."""
    private().drop([key for key in keys if key])


@contextlib.contextmanager
def local_path(key: str) -> Iterator[Path]:
    """A path that another process can read while the block runs: the file itself, or a copy of what S3 holds."""
    found = private()
    if isinstance(found, PrivateFiles):
        path = Path(found.path(key))
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "no such file", key)
        yield path
        return
    with workplace.folder(merchant_of(key)) as folder:
        copy = Path(folder, key.rsplit("/", 1)[-1])
        with _explained(key), found.open(key, "rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, CHUNK)
        yield copy


# --- deleting and collecting ---------------------------------------------------------------------------------------
def delete_tree(merchant_id: UUID) -> tuple[int, int]:
    """Delete every file of a merchant, a thousand at a time; returns how many, and their bytes."""
    found = private()
    files = found.listed(f"m/{merchant_id}/")
    count = size = 0
    while some := list(islice(files, S3_BATCH)):
        found.drop([file.key for file in some])
        count, size = count + len(some), size + sum(file.bytes for file in some)
    return count, size


Refers = Callable[[UUID], Iterable[str]]
_owners: dict[str, Refers] = {}


def register_kind(kind: str, refers: Refers) -> None:
    """Say who refers to the files of a kind (the third part of their keys).

    ``refers(merchant_id)`` yields every key that a row of that merchant names; it runs in that merchant's scope. Files
    of a kind that nobody registered are never collected.
    """
    _owners[kind] = refers


def kinds() -> list[str]:
    """The registered kinds."""
    return sorted(_owners)


def referrers() -> dict[str, Refers]:
    """Who refers to files, by their kind."""
    return {kind: _owners[kind] for kind in kinds()}
