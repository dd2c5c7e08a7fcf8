"""A backup while everything runs: files, then rows, then the files that came meanwhile.

Rows name files, so files are copied before and after the moment of the rows: what a row of that moment names was
either there the first time, or came before the second. A file that was deleted in between is in the first copy. What is
deleted between listing and copying is noted in the manifest; restoring says whether any row missed it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import CommandError

from imodel_site.backup import databases, stamp, vault
from imodel_site.backup.vault import Kept, Manifest, Vault
from imodel_site.lib import storage
from imodel_site.metrics.machine import release

OURS = "m/"  # everything that rows name; the rest (probes, the last backup's stamp) is of the moment
Say = Callable[[str], None]


def back_up(folder: Path, *, say: Say) -> Path:
    """Make a snapshot; where it lies.

    Raises:
        CommandError: the folder lies inside the storage, or a program of PostgreSQL's fails.
        StorageError, OSError: the storage or the folder does not take part; the snapshot is not whole then.
    """
    store = Vault(folder)
    _refuse_inside(folder)
    before = _known(store)
    place = store.begin(f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    copying = Copying(store, before)
    say("Copying files ...")
    copying.once()
    say("Copying rows ...")
    name, rows = databases.dump(place)
    say("Copying the files that came meanwhile ...")
    copying.once()
    manifest = _manifest(place, name, rows, copying)
    vault.write_manifest(place, manifest)
    stamp.leave(files=manifest.files, bytes=manifest.bytes)
    say(f"{place}: {sum(rows.values()):,} rows, {manifest.files:,} files, {copying.copied:,} bytes new.")
    return place


def _refuse_inside(folder: Path) -> None:
    found = storage.private()
    if isinstance(found, storage.PrivateFiles) and folder.resolve().is_relative_to(Path(found.location).resolve()):
        raise CommandError(f"{folder} lies in the storage itself: each backup would hold all earlier ones.")


def _known(store: Vault) -> dict[str, Kept]:
    """What the last whole snapshot holds."""
    snapshots = store.snapshots()
    return {kept.key: kept for kept in vault.read_files(snapshots[-1])} if snapshots else {}


class Copying:
    """The files of one snapshot."""

    def __init__(self, store: Vault, before: dict[str, Kept]) -> None:
        self._store, self._before = store, before
        self.kept: dict[str, Kept] = {}
        self.gone: list[str] = []
        self.copied = 0

    def once(self) -> None:
        """Copy whatever is there now and is not kept yet."""
        for found in storage.private().listed(OURS):
            if found.key not in self.kept:
                self._take(found)

    def _take(self, found: storage.Stored) -> None:
        known = self._before.get(found.key)
        same = known and (known.bytes, known.modified) == (found.bytes, found.modified.isoformat())
        if known and same and self._store.holds(known):
            self.kept[found.key] = known
            return
        try:
            sha256, length = self._store.take(storage.private().stream(found.key, 0, found.bytes))
        except FileNotFoundError:
            self.gone.append(found.key)
            return
        self.copied += length
        self.kept[found.key] = Kept(found.key, length, found.modified.isoformat(), sha256)


def _manifest(place: Path, name: str, rows: dict[str, int], copying: Copying) -> Manifest:
    kept = sorted(copying.kept.values(), key=lambda one: one.key)
    return Manifest(
        made=datetime.now(UTC).isoformat(),
        release=release(),
        vendor=databases.vendor(),
        server=databases.server(),
        database=name,
        database_sha256=vault.sha256_of(place / name),
        files_sha256=vault.write_files(place, kept),
        migrations=databases.migrations(),
        rows=rows,
        files=len(kept),
        bytes=sum(one.bytes for one in kept),
        gone=copying.gone,
    )


def prune(folder: Path, *, keep: int, say: Say) -> None:
    """Remove all but the newest ``keep`` snapshots, what older ones left unfinished, and contents nobody names."""
    store = Vault(folder)
    whole = store.snapshots()
    left = set(whole[-keep:])
    for place in sorted((folder / "snapshots").iterdir()):
        if place not in left and whole and place.name < whole[-1].name:
            _remove(place)
            say(f"{place.name} was removed.")
    wanted = {kept.sha256 for place in store.snapshots() for kept in vault.read_files(place)}
    for content in (folder / "objects").glob("*/*"):
        if content.name not in wanted:
            content.unlink()


def _remove(place: Path) -> None:
    """The manifest first: what is half removed must not look whole."""
    (place / vault.MANIFEST).unlink(missing_ok=True)
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
