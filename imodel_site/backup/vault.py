"""The folder that backups lie in.

    objects/3f/3fa1...               a file's content, under its SHA-256: the same content is kept once
    snapshots/20261123T020000Z/      one backup: manifest.json, files.jsonl, database.dump or database.sqlite3

A snapshot is whole when it has its manifest, which is written last.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

CHUNK = 1 << 20
FORMAT = 1
MANIFEST, FILES = "manifest.json", "files.jsonl"


@dataclass(frozen=True)
class Kept:
    """One file of a snapshot; ``sha256`` names its content in ``objects``. ``modified`` is the storage's time."""

    key: str
    bytes: int
    modified: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a snapshot holds."""

    made: str
    release: str
    vendor: str
    server: str
    database: str
    database_sha256: str
    files_sha256: str
    migrations: dict[str, str]
    rows: dict[str, int]
    files: int
    bytes: int
    gone: list[str] = field(default_factory=list)
    format: int = FORMAT


class Vault:
    """Reads and writes one such folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def snapshots(self) -> list[Path]:
        """Those that are whole, oldest first."""
        return sorted(file.parent for file in self.folder.glob(f"snapshots/*/{MANIFEST}"))

    def begin(self, name: str) -> Path:
        """The folder of a new snapshot; readable by this user alone, because all passwords' hashes will lie in it."""
        place = self.folder / "snapshots" / name
        (self.folder / "objects").mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.mkdir(mode=0o700)
        return place

    # --- contents -----------------------------------------------------------------------------------------------
    def object(self, sha256: str) -> Path:
        """Where a content lies."""
        return self.folder / "objects" / sha256[:2] / sha256

    def holds(self, kept: Kept) -> bool:
        """Whether its content is here, at its length."""
        try:
            return self.object(kept.sha256).stat().st_size == kept.bytes
        except FileNotFoundError:
            return False

    def take(self, pieces: Iterable[bytes]) -> tuple[str, int]:
        """Keep a content; its SHA-256 and length. It is there whole or not at all."""
        aside = self.folder / "objects" / f"new-{secrets.token_hex(8)}"
        digest, length = hashlib.sha256(), 0
        try:
            with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for piece in pieces:
                    digest.update(piece)
                    length += len(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            target = self.object(digest.hexdigest())
            target.parent.mkdir(mode=0o700, exist_ok=True)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        return digest.hexdigest(), length

    def read(self, kept: Kept) -> Iterator[bytes]:
        """A content's pieces.

        Raises:
            CommandError: at the end, when it is not what was taken.
        """
        digest = hashlib.sha256()
        try:
            with self.object(kept.sha256).open("rb") as file:
                while piece := file.read(CHUNK):
                    digest.update(piece)
                    yield piece
        except FileNotFoundError:
            raise CommandError(f"The content of {kept.key} is missing from {self.folder}.") from None
        if digest.hexdigest() != kept.sha256:
            raise CommandError(f"The content of {kept.key} was damaged: {self.object(kept.sha256)} is not its SHA-256.")


# --- a snapshot's own files -----------------------------------------------------------------------------------------
def write_files(place: Path, files: Iterable[Kept]) -> str:
    """List a snapshot's files; the list's SHA-256."""
    with (place / FILES).open("w", encoding="utf-8") as file:
        for kept in files:
            file.write(json.dumps(asdict(kept)) + "\n")
    return sha256_of(place / FILES)


def read_files(place: Path) -> Iterator[Kept]:
    """The files of a snapshot."""
    with (place / FILES).open(encoding="utf-8") as file:
        for line in file:
            yield Kept(**json.loads(line))


def write_manifest(place: Path, manifest: Manifest) -> None:
    """Last of all: now the snapshot is whole."""
    aside = place / f"{MANIFEST}.new"
    aside.write_text(json.dumps(asdict(manifest), indent=2, sort_keys=True), encoding="utf-8")
    aside.replace(place / MANIFEST)


def read_manifest(place: Path) -> Manifest:
    """What a snapshot says of itself.

    Raises:
        CommandError: it is none, of a later format, or its list or its database is not what was written.
    """
    try:
        facts: dict[str, Any] = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise CommandError(f"{place} is no whole backup: it has no {MANIFEST}.") from None
    if facts.get("format") != FORMAT:
        raise CommandError(f"{place} was made by another release (format {facts.get('format')}): restore it with that.")
    manifest = Manifest(**facts)
    for name, wanted in ((manifest.database, manifest.database_sha256), (FILES, manifest.files_sha256)):
        if sha256_of(place / name) != wanted:
            raise CommandError(f"{place / name} was damaged: it is not what was written. Take another backup.")
    return manifest


def sha256_of(file: Path) -> str:
    """Of a file's bytes.

    Raises:
        CommandError: there is no such file.
    """
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        raise CommandError(f"{file} is missing.") from None
