"""A ZIP file in the making: on disk, in a folder that a next process can go on with where this one was killed.

    archive.zip     the entries so far
    notes.sqlite3   what stands where in it, and whatever else its maker has to remember

Half a million entries take no memory: ``zipfile`` writes, and its list of entries is a table of the notes. An entry
counts once it is noted; what a killed process wrote beyond that is cut off (APPNOTE 6.3.10: the directory at the end
decides what a file holds).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

COMMIT_BYTES = 64 * 2**20
COMMIT_SECONDS = 5.0
TABLES = """
CREATE TABLE IF NOT EXISTS entries (
    name TEXT PRIMARY KEY, method INTEGER, crc INTEGER, size INTEGER, packed INTEGER, at INTEGER, sha256 TEXT
);
CREATE TABLE IF NOT EXISTS ends (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER);
"""


class InUse(Exception):
    """Another process works in the folder."""


@dataclass(frozen=True)
class Entry:
    """One file of the archive."""

    name: str
    bytes: int
    sha256: str


class Archive:
    """Made by :func:`opened`; add entries, then ``finish``."""

    def __init__(self, folder: Path, *, when: datetime) -> None:
        self.path = folder / "archive.zip"
        self.notes = sqlite3.connect(folder / "notes.sqlite3")
        self.notes.executescript(TABLES)
        self._when = max(when.timetuple()[:6], (1980, 1, 1, 0, 0, 0))
        self._zip = self._go_on()
        self._kept_at, self._kept_when = self._zip.start_dir, time.monotonic()

    def _go_on(self) -> zipfile.ZipFile:
        file = open(self.path, "r+b" if self.path.exists() else "w+b")
        (end,) = self.notes.execute("SELECT coalesce(max(at), 0) FROM ends").fetchone()
        file.truncate(end)
        file.seek(end)
        archive = zipfile.ZipFile(file, "w", allowZip64=True)
        archive.filelist = _Directory(self.notes, self._when)  # type: ignore[assignment]  # all that zipfile asks of it
        archive.NameToInfo = _Nothing()
        return archive

    def __contains__(self, name: str) -> bool:
        return self.notes.execute("SELECT 1 FROM entries WHERE name = ?", [name]).fetchone() is not None

    def add(self, name: str, pieces: Iterable[bytes], *, pack: bool) -> None:
        """Write one entry.

        Args:
            name: its path in the archive, with ``/``.
            pieces: its bytes; what they raise leaves the archive unusable until it is opened again.
            pack: False for what is compressed already.
        """
        info = zipfile.ZipInfo(name, self._when)
        info.compress_type = zipfile.ZIP_DEFLATED if pack else zipfile.ZIP_STORED
        digest = hashlib.sha256()
        with self._zip.open(info, "w", force_zip64=True) as target:
            for piece in pieces:
                digest.update(piece)
                target.write(piece)
        self.notes.execute("UPDATE entries SET sha256 = ? WHERE name = ?", [digest.hexdigest(), name])

    def keep_now_and_then(self) -> bool:
        """Make what was added safe, when it has become much or long ago; whether it was."""
        much = self._zip.start_dir - self._kept_at >= COMMIT_BYTES
        if much or time.monotonic() - self._kept_when >= COMMIT_SECONDS:
            self.keep()
            return True
        return False

    def keep(self) -> None:
        """Make what was added safe: the bytes first, then the notes of them."""
        file: Any = self._zip.fp
        file.flush()
        os.fsync(file.fileno())
        self.notes.execute("INSERT OR REPLACE INTO ends VALUES (1, ?)", [self._zip.start_dir])
        self.notes.commit()
        self._kept_at, self._kept_when = self._zip.start_dir, time.monotonic()

    def entries(self) -> Iterator[Entry]:
        """All of them, by name."""
        for row in self.notes.execute("SELECT name, size, sha256 FROM entries ORDER BY name"):
            yield Entry(*row)

    def totals(self) -> tuple[int, int]:
        """How many entries, and their bytes."""
        count, size = self.notes.execute("SELECT count(*), coalesce(sum(size), 0) FROM entries").fetchone()
        return int(count), int(size)

    def finish(self) -> Path:
        """Write the directory; the file is whole afterwards, and nothing can be added."""
        self.keep()
        file: Any = self._zip.fp
        self._zip.close()
        file.close()
        return self.path

    def close(self) -> None:
        """Let go of both files, as they are: without a directory the archive is not one yet."""
        if self._zip.fp is not None:
            self._zip.fp.close()
            self._zip.fp = None
        self.notes.close()


@contextmanager
def opened(folder: Path, *, when: datetime) -> Iterator[Archive]:
    """The archive of a folder, new or as it was left.

    Args:
        folder: exists; this process has it to itself for as long as the block runs.
        when: the time that each entry carries.

    Raises:
        InUse: another process has it.
        OSError, sqlite3.OperationalError: the disk is full.
    """
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(str(folder)) from None
        archive = Archive(folder, when=when)
        try:
            yield archive
        finally:
            archive.close()


class _Directory:
    """What ``zipfile`` takes for its list of entries."""

    def __init__(self, notes: sqlite3.Connection, when: Any) -> None:
        self._notes, self._when = notes, when

    def append(self, info: zipfile.ZipInfo) -> None:
        row = (info.filename, info.compress_type, info.CRC, info.file_size, info.compress_size, info.header_offset)
        self._notes.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, NULL)", row)

    def __len__(self) -> int:
        return int(self._notes.execute("SELECT count(*) FROM entries").fetchone()[0])

    def __iter__(self) -> Iterator[zipfile.ZipInfo]:
        for row in self._notes.execute("SELECT name, method, crc, size, packed, at FROM entries ORDER BY at"):
            info = zipfile.ZipInfo(row[0], self._when)
            info.compress_type, info.CRC, info.file_size, info.compress_size, info.header_offset = row[1:]
            info.external_attr = 0o600 << 16
            info.create_version = info.extract_version = zipfile.ZIP64_VERSION
            yield info


class _Nothing(dict[str, zipfile.ZipInfo]):
    """``zipfile`` would keep each entry by its name; the notes' primary key refuses a second of one name."""

    def __setitem__(self, name: str, info: zipfile.ZipInfo) -> None:
        pass
