"""What must be done before the first request, each step skipped when it is done already."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import connection

from imodel_site.doctor.database import missing_migrations

PRIVATE = 0o700
MIGRATION_LOCK = 0x696D6F64  # "imod": any number that only we use


@dataclass(frozen=True)
class Step:
    """``needed`` is cheap and says whether ``do`` has something to do; ``says`` is shown while it does."""

    says: str
    needed: Callable[[], bool]
    do: Callable[[], None]


def steps() -> tuple[Step, ...]:
    """In this order: later ones need earlier ones."""
    return (
        Step("Making folders", _folders_missing, make_folders),
        Step("Preparing the database", _unmigrated, migrate),
        Step("Compiling the translations", _messages_old, _compile_messages),
        Step("Collecting the static files", _static_old, _collect),
    )


def prepare(say: Callable[[str], None]) -> None:
    """Do what is needed."""
    for step in steps():
        if step.needed():
            say(f"{step.says} ...")
            step.do()


# --- folders ---------------------------------------------------------------------------------------------------------
def _folders() -> list[Path]:
    names = ("run", "log", "cache", "mail")
    return [Path(settings.DATA_DIR), Path(settings.STATIC_ROOT), *(settings.DATA_DIR / name for name in names)]


def _folders_missing() -> bool:
    return not all(folder.is_dir() for folder in _folders())


def make_folders() -> None:
    """What processes of this machine write into.

    Raises:
        CommandError: one can not be made.
    """
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
        except OSError as error:
            raise CommandError(
                f"Can not make {folder}: {error.strerror}. Set IMODEL_DATA to a folder of yours."
            ) from error


# --- rows ------------------------------------------------------------------------------------------------------------
def _unmigrated() -> bool:
    return bool(missing_migrations())


def migrate() -> None:
    """As DATABASE_OWNER_URL where that is set, because the application's own role may not make tables."""
    owner = os.environ.get("DATABASE_OWNER_URL", "").strip()
    with _one_at_a_time():
        if not owner:
            call_command("migrate", interactive=False, verbosity=0)
            return
        environment = {**os.environ, "DATABASE_URL": owner}
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "migrate", "--no-input", "--verbosity", "0"]
        if subprocess.run(command, env=environment, check=False).returncode:
            raise CommandError("The migrations did not go through; see above.")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two machines that start at once would both migrate."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


# --- words -----------------------------------------------------------------------------------------------------------
def _catalogs() -> list[Path]:
    return sorted(Path(settings.BASE_DIR, "locale").glob("*/LC_MESSAGES/*.po"))


def _messages_old() -> bool:
    def old(source: Path) -> bool:
        compiled = source.with_suffix(".mo")
        return not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime

    return any(old(source) for source in _catalogs())


def _compile_messages() -> None:
    tool = Path(settings.BASE_DIR, "tools", "messages.py")
    subprocess.run([sys.executable, str(tool), "compile"], check=True, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL)


# --- static files ----------------------------------------------------------------------------------------------------
def _stamp() -> Path:
    return Path(settings.STATIC_ROOT) / ".sources"


def sources_hash() -> str:
    """Of the names, sizes and times of all that collectstatic would read."""
    found = hashlib.sha256(f"{django.VERSION} {settings.STORAGES['staticfiles']}".encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = os.stat(storage.path(name))
            place = f"{getattr(storage, 'prefix', None) or ''}/{name}"
            found.update(f"{place} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()


def _static_old() -> bool:
    stamp = _stamp()
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    return not settings.DEBUG and (
        not manifest.exists() or not stamp.exists() or stamp.read_text(encoding="ascii") != sources_hash()
    )


def _collect() -> None:
    seen = sources_hash()  # before, so that a file that changes meanwhile is collected again next time
    call_command("collectstatic", interactive=False, verbosity=0)
    _stamp().write_text(seen, encoding="ascii")
