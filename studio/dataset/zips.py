"""What a stranger's zip may hold, judged before anything is written; a web process may import this.

Byte counts and file counts of a zip are claims. Its table of contents is bounded before it is read, because reading it
makes an object of each entry, and what a member really unpacks to is counted when it is taken out (archives.py).
"""

from __future__ import annotations

import errno
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from studio.dataset.types import CAPTIONS, MOST_PICTURES, PICTURES, RECORD
from studio.errors import InputError, StorageError

MOST_FILES = 4 * MOST_PICTURES
MOST_BYTES = 2 * 1024**3
MOST_CONTENTS = 8 << 20  # bytes of the table of contents; 8,000 honest entries take about one
KEPT = (*PICTURES, *CAPTIONS)
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
_SIZE, _COUNT = 5, 4  # of the table of contents, in what zipfile makes of a zip's end


@dataclass(frozen=True)
class Opened:
    """A zip that was judged: the members that belong to a set, and the names of those that do not."""

    zipped: zipfile.ZipFile
    kept: tuple[zipfile.ZipInfo, ...]
    skipped: tuple[str, ...]


@contextmanager
def open_zip(archive: Path) -> Iterator[Opened]:
    """A zip whose names, kinds and stated sizes were judged; nothing of it is unpacked yet.

    Raises:
        InputError: ``archive_damaged``, ``archive_name_refused``, ``archive_too_large``, ``archive_encrypted``; also
            when reading a member fails while it is open.
        StorageError: ``disk_full``.
    """
    try:
        with archive.open("rb") as file:
            _check_contents(file)
            with zipfile.ZipFile(file) as zipped:
                members = [info for info in zipped.infolist() if not info.is_dir()]
                _check(members)
                kept = tuple(info for info in members if _belongs(info.filename))
                yield Opened(zipped, kept, tuple(info.filename for info in members if not _belongs(info.filename)))
    except DAMAGE as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError("disk_full", "There is no room to unpack the zip. Free some.", retryable=True) from error
        raise InputError("archive_damaged", f"{archive.name} is no zip that can be read ({error}).") from error


def _check_contents(file: BinaryIO) -> None:
    """The table of contents, as zipfile itself will find it: a reading of our own might find another."""
    reader: Any = zipfile
    end = reader._EndRecData(file)
    if not end:
        raise zipfile.BadZipFile("it has no table of contents")
    if end[_COUNT] > MOST_FILES or end[_SIZE] > MOST_CONTENTS:
        raise _too_large()
    file.seek(0)


def _too_large() -> InputError:
    said = f"A zip may hold {MOST_FILES} files and {MOST_BYTES // 1024**3} GB"
    return InputError("archive_too_large", f"{said}. Split the set.")


def _check(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_FILES or sum(info.file_size for info in members) > MOST_BYTES:
        raise _too_large()
    seen: set[str] = set()
    for info in members:
        _check_name(info)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError("archive_damaged", "The zip is packed in an unusual way. Pack it with deflate.")
        if info.flag_bits & 1:
            raise InputError("archive_encrypted", "The zip is encrypted. Pack it without a password.")
        # Two names that differ in case alone are one file on some systems: the second would replace the first.
        if info.filename.lower() in seen:
            raise InputError("archive_name_refused", f"The zip holds {info.filename[:80]!r} twice. Pack it anew.")
        seen.add(info.filename.lower())


def _check_name(info: zipfile.ZipInfo) -> None:
    # orig_filename: zipfile itself cuts a name at a NUL, which is how a forbidden suffix is hidden.
    name, mode = info.orig_filename, info.external_attr >> 16
    parts = PurePosixPath(name).parts
    kind = stat.S_IFMT(mode)
    bad = FORBIDDEN.search(name) or name.startswith("/") or ".." in parts or len(parts) > 5 or len(name) > 240
    if bad or kind not in (0, stat.S_IFREG):
        said = f"The zip holds a name or link that could lead elsewhere: {name[:80]!r}"
        raise InputError("archive_name_refused", f"{said}. Nothing was taken out.")


def _belongs(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not hidden and (path.suffix.lower() in KEPT or path.name == RECORD)
