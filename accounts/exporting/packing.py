"""Carrying an export out: rows, then files, then what explains them; in slices, so that others get their turn."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.exporting import names, rows
from accounts.exporting.plan import Plan, Wanted, stored_files
from accounts.models import Export
from imodel_site.lib import archive, storage, workplace
from imodel_site.lib.archive import Archive
from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs.work import Retry, Work
from studio.errors import StorageError

SLICE_SECONDS = 30.0
SPARE_BYTES = 256 * 2**20  # that a disk must have left beside the archive: others work on it, too
PACKED = (".csv", ".json", ".jsonl", ".txt")  # everything else is compressed already
FORMAT = 1
ROWS_PART, FILES_PART = 0.1, 0.95  # of the bar


@dataclass(frozen=True)
class Packed:
    """A finished archive on this machine's disk."""

    path: Path
    bytes: int
    rows: int
    files: int


class SliceOver(Exception):
    """Others get their turn; what is done is kept."""


def place_of(export_id: UUID) -> str:
    """The name of the folder that the next worker goes on with."""
    return f"export-{export_id}"


def pack(work: Work, *, seconds: float = SLICE_SECONDS) -> Packed:
    """Go on with the archive, and finish it if there is time.

    Raises:
        SliceOver: there was not.
        Cancelled: somebody asked for it, or the worker is being stopped.
        Retry: another worker still has the folder.
        Refused: ``disk_full``, retryable; the folder is gone then.
    """
    export: Export = work.job
    folder = workplace.kept(export.merchant_id, place_of(export.pk))
    try:
        with _room_explained(), archive.opened(folder, when=export.created_at) as made:
            return _Packer(work, made, until=time.monotonic() + seconds).pack()
    except archive.InUse as error:
        raise Retry("another worker has not let go of it yet", delay=10) from error
    except Refused:
        workplace.drop(export.merchant_id, place_of(export.pk))  # it is what fills the disk
        raise


class _Packer:
    def __init__(self, work: Work, made: Archive, *, until: float) -> None:
        self.work, self.archive, self.until = work, made, until
        self.merchant_id: UUID = work.job.merchant_id
        self.plan = Plan(made.notes)

    def pack(self) -> Packed:
        self._rows()
        if not self.plan.made():
            self.plan.make(names.named(self.merchant_id), stored_files(self.merchant_id))
            self._refuse_when_it_will_not_fit()
            self.archive.keep()
        self._files()
        self._papers()
        count = self.archive.totals()[0]
        path = self.archive.finish()
        return Packed(path, path.stat().st_size, sum(self.plan.counts().values()), count)

    def _rows(self) -> None:
        for table, found, columns in rows.sources(self.merchant_id):
            name = f"rows/{table}.jsonl"
            if name not in self.archive:
                counted = _Counted(rows.lines(found, columns))
                self.archive.add(name, self._heeding(counted), pack=True)
                self.plan.count(table, counted.so_far)
                self._after_entry(0.0)

    def _files(self) -> None:
        whole, done = max(1, self.plan.bytes()), self.archive.totals()[1]
        for file in self.plan.left():
            self._file(file)
            done += file.bytes
            self._after_entry(ROWS_PART + (FILES_PART - ROWS_PART) * min(1.0, done / whole))

    def _file(self, file: Wanted) -> None:
        try:
            pieces = storage.private().stream(file.key, 0, file.bytes)
        except FileNotFoundError:  # deleted since the plan was made
            self.plan.lost(file)
            return
        self.archive.add(file.name, self._heeding(pieces), pack=file.name.endswith(PACKED))

    def _papers(self) -> None:
        """Last, and made anew by a worker that goes on right here: they tell of all the others."""
        if "README.txt" not in self.archive:
            self.archive.add("README.txt", [_readme(self.work.job, self.plan)], pack=True)
        if "manifest.json" not in self.archive:
            self.archive.add("manifest.json", _manifest(self.work.job, self.archive, self.plan), pack=True)

    def _heeding(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.work.stop_if_asked()
            yield piece

    def _after_entry(self, fraction: float) -> None:
        if self.archive.keep_now_and_then():
            self.work.progress("export", fraction, kept=True)
        else:
            self.work.progress("export", fraction)
        if time.monotonic() > self.until:
            self.archive.keep()
            self.work.progress("export", fraction, kept=True)
            raise SliceOver

    def _refuse_when_it_will_not_fit(self) -> None:
        free = shutil.disk_usage(self.archive.path.parent).free
        if self.plan.bytes() + SPARE_BYTES > free:
            raise _full()


class _Counted(Iterator[bytes]):
    """Lines, counted as they pass."""

    def __init__(self, found: Iterator[bytes]) -> None:
        self._found, self.so_far = found, 0

    def __next__(self) -> bytes:
        line = next(self._found)
        self.so_far += 1
        return line


def _readme(export: Any, plan: Plan) -> bytes:
    person = export.started_by
    with translation.override((person.language if person else "") or settings.LANGUAGE_CODE):
        context = {"merchant": export.merchant, "when": export.created_at, "withheld": any(plan.withheld())}
        return render_to_string("accounts/export_readme.txt", context).encode()


def _manifest(export: Any, made: Archive, plan: Plan) -> Iterator[bytes]:
    """JSON, piece by piece: of half a million files it would be 100 MB."""
    head = {"format": FORMAT, "merchant": str(export.merchant_id), "made": export.created_at.isoformat()}
    yield json.dumps({**head, "rows": plan.counts()}, indent=1).removesuffix("\n}").encode()
    listed = ({"path": one.name, "bytes": one.bytes, "sha256": one.sha256} for one in made.entries())
    yield from _list("files", listed)
    yield from _list("keys", ({"path": name, "key": key} for name, key in plan.keys()))
    yield from _list("withheld", ({"path": name, "why": why} for name, why in plan.withheld()))
    yield from _list("missing", ({"path": name} for name in plan.missing()))
    yield b"\n}\n"


def _list(name: str, items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    yield f',\n "{name}": ['.encode()
    for place, item in enumerate(items):
        yield (",\n  " if place else "\n  ").encode() + json.dumps(item, ensure_ascii=False).encode()
    yield b"\n ]"


@contextmanager
def _room_explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full() from error
        raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise _full() from error
        raise
    except StorageError as error:
        if error.code == "disk_full":
            raise _full() from error
        raise


def _full() -> Refused:
    words = _("There is no room on our disks for your archive. Nothing was lost. Try again tomorrow, or write to us.")
    return Refused("disk_full", words, retryable=True)
