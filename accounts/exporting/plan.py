"""Which files go into an archive, under which names: a table beside the archive, so that it fits any number of them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from accounts.exporting import names
from accounts.exporting.names import Named
from imodel_site.lib import storage
from imodel_site.lib.storage import Stored

TABLES = """
CREATE TABLE IF NOT EXISTS files (
    key TEXT PRIMARY KEY, name TEXT UNIQUE NOT NULL, withheld TEXT NOT NULL, bytes INTEGER, gone INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, rows INTEGER);
CREATE TABLE IF NOT EXISTS steps (name TEXT PRIMARY KEY);
"""


@dataclass(frozen=True)
class Wanted:
    """A file that is to come in."""

    key: str
    name: str
    bytes: int


class Plan:
    """Written once, then carried out; a row whose ``bytes`` are unknown names a file that is not there."""

    def __init__(self, notes: sqlite3.Connection) -> None:
        self._notes = notes
        notes.executescript(TABLES)

    def made(self) -> bool:
        """Whether it is complete."""
        return self._notes.execute("SELECT 1 FROM steps WHERE name = 'files'").fetchone() is not None

    def make(self, named: Iterable[Named], stored: Iterable[Stored]) -> None:
        """Take the rooms' names, then what storage really holds."""
        self._notes.execute("DELETE FROM files")
        for one in named:
            self._put(one, size=None)
        for file in stored:
            if file.key.split("/")[2] != names.KIND:
                self._meet(file)
        self._notes.execute("INSERT OR IGNORE INTO steps VALUES ('files')")

    def _meet(self, file: Stored) -> None:
        known = self._notes.execute("UPDATE files SET bytes = ? WHERE key = ?", [file.bytes, file.key])
        if not known.rowcount:
            self._put(Named(file.key, names.by_key(file.key)), size=file.bytes)

    def _put(self, one: Named, *, size: int | None) -> None:
        row = [one.key, one.name, one.withheld, size]
        insert = "INSERT OR IGNORE INTO files (key, name, withheld, bytes) VALUES (?, ?, ?, ?)"
        if self._notes.execute(insert, row).rowcount or self._knows(one.key):
            return
        stem, dot, suffix = one.name.rpartition(".")
        mark = hashlib.sha256(one.key.encode()).hexdigest()[:8]  # the same in each archive that holds both
        self._notes.execute(insert, [one.key, f"{stem}-{mark}{dot}{suffix}", one.withheld, size])

    def _knows(self, key: str) -> bool:
        return self._notes.execute("SELECT 1 FROM files WHERE key = ?", [key]).fetchone() is not None

    def bytes(self) -> int:
        """Of all files that are to come in."""
        query = "SELECT coalesce(sum(bytes), 0) FROM files WHERE withheld = ''"
        return int(self._notes.execute(query).fetchone()[0])

    def left(self, at_once: int = 1000) -> Iterator[Wanted]:
        """What is not in the archive yet, by name."""
        after = ""
        query = (
            "SELECT key, name, bytes FROM files WHERE name > ? AND withheld = '' AND bytes IS NOT NULL AND gone = 0 "
            "AND NOT EXISTS (SELECT 1 FROM entries WHERE entries.name = files.name) ORDER BY name LIMIT ?"
        )
        while found := self._notes.execute(query, [after, at_once]).fetchall():
            for row in found:
                yield Wanted(*row)
            after = found[-1][1]

    def lost(self, file: Wanted) -> None:
        """It went away between planning and packing."""
        self._notes.execute("UPDATE files SET gone = 1 WHERE key = ?", [file.key])

    def count(self, table: str, rows: int) -> None:
        """So many rows of a table are in the archive."""
        self._notes.execute("INSERT OR REPLACE INTO counts VALUES (?, ?)", [table, rows])

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        return dict(self._notes.execute("SELECT name, rows FROM counts ORDER BY name"))

    def keys(self) -> Iterator[tuple[str, str]]:
        """(name, storage key) of each file that came in: rows name files by their keys."""
        yield from self._notes.execute("SELECT name, key FROM files WHERE withheld = '' ORDER BY name")

    def withheld(self) -> Iterator[tuple[str, str]]:
        """(name, why) of each file that was left out."""
        yield from self._notes.execute("SELECT name, withheld FROM files WHERE withheld <> '' ORDER BY name")

    def missing(self) -> Iterator[str]:
        """Names of files that rows speak of and that were not there."""
        query = "SELECT name FROM files WHERE withheld = '' AND (bytes IS NULL OR gone = 1) ORDER BY name"
        for (name,) in self._notes.execute(query):
            yield name


def stored_files(merchant_id: UUID) -> Iterator[Stored]:
    """What storage holds of a merchant."""
    yield from storage.private().listed(f"m/{merchant_id}/")
