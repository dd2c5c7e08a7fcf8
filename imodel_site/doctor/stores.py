"""Where files and short-lived things are kept: storage, disk, cache, mail."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import get_connection

from imodel_site.backup import stamp
from imodel_site.doctor.findings import Finding, bad, ok, warn

LOW_DISK, FULL_DISK = 5 * 2**30, 500 * 2**20  # bytes
OLD_BACKUP = timedelta(hours=30)
REMEMBER = 30  # seconds that a successful look at the storage is good for
BODY = b"iModel doctor"


def storage() -> Iterator[Finding]:
    """A file goes in, comes out the same, and goes away."""
    try:
        _round_trip()
    except Exception as error:  # noqa: BLE001  drivers throw what they like; the name says where to look
        yield bad("storage", f"{place()}: {type(error).__name__}: {error}"[:200], _storage_todo())
    else:
        yield ok("storage", f"{place()} takes, gives and deletes files")


def _round_trip() -> None:
    name = f"doctor/{secrets.token_hex(12)}.txt"
    kept = default_storage.save(name, ContentFile(BODY))
    try:
        with default_storage.open(kept) as file:
            if file.read() != BODY:
                raise OSError("a file came back with other bytes")
    finally:
        default_storage.delete(kept)


@lru_cache(maxsize=2)
def _looked(half_minute: int) -> bool:
    """Remembers success only: an exception is not cached."""
    _round_trip()
    return True


def storage_lately() -> Iterator[Finding]:
    """As ``storage``, but at most once in half a minute, because probes come every few seconds."""
    _looked(int(time.monotonic() // REMEMBER))
    yield ok("storage", place())


def place() -> str:
    """Where files go, without credentials."""
    options = settings.STORAGES["default"].get("OPTIONS", {})
    if "bucket_name" in options:
        return f"s3://{options['bucket_name']}/{options.get('location', '')}"
    return str(options.get("location", "?"))


def _storage_todo() -> str:
    if place().startswith("s3://"):
        return "Check the bucket, its endpoint and the keys (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)."
    return f"Make {place()} writable for the user that runs web and worker."


def disk() -> Iterator[Finding]:
    """Room where rows, files, logs and temporary files go."""
    for name, folder in (
        ("disk", settings.DATA_DIR),
        ("disk for temporary files", Path(os.environ.get("TMPDIR", "/tmp"))),
    ):
        free = shutil.disk_usage(_existing(folder)).free
        says = f"{free / 2**30:.1f} GiB free under {folder}"
        if free < FULL_DISK:
            yield bad(name, says, "Free some space now: shoots fail when the disk is full.")
        elif free < LOW_DISK:
            yield warn(name, says, "Free some space soon.")
        else:
            yield ok(name, says)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() or folder == folder.parent else _existing(folder.parent)


def backup() -> Iterator[Finding]:
    """How old the last one is. Whoever only tries iModel out may have none."""
    last, todo = stamp.last(), "Run: manage.py backup FOLDER, best by a timer (docs/backup.md)."
    if last is None:
        yield warn("backup", "there never was one", todo) if settings.HTTPS else ok("backup", "none: for trying out")
        return
    age = datetime.now(UTC) - last.at
    says = f"{last.files:,} files and all rows, {int(age.total_seconds() // 3600)} h ago"
    yield warn("backup", says, todo) if age > OLD_BACKUP else ok("backup", says)


def caching() -> Iterator[Finding]:
    """What is put in comes out."""
    kind = "Redis" if settings.REDIS_URL else "files"
    name, value = f"doctor-{secrets.token_hex(6)}", secrets.token_hex(6)
    cache.set(name, value, 30)
    if cache.get(name) != value:
        yield bad(
            "cache", f"{kind}: a value did not come back", "Check REDIS_URL, or the folder cache/ of IMODEL_DATA."
        )
        return
    cache.delete(name)
    yield ok("cache", f"{kind} keeps what it is given")


def mail() -> Iterator[Finding]:
    """A mail server that takes a connection; files and the terminal are for trying things out."""
    backend = settings.EMAIL_BACKEND.rsplit(".", 2)
    if backend[-2] == "smtp":
        connection = get_connection(fail_silently=False)
        connection.open()
        connection.close()
        yield ok("e-mail", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} answers")
    elif settings.HTTPS:
        yield bad("e-mail", "no mail leaves this machine, so nobody can sign up", "Set EMAIL_URL=smtp://...")
    else:
        yield ok("e-mail", f"kept as files in {getattr(settings, 'EMAIL_FILE_PATH', 'the terminal')}: for trying out")
