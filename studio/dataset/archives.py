"""A data set as a zip file, out and in; what a stranger's zip may do is bounded before anything is written."""

from __future__ import annotations

import os
import secrets
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from studio.dataset.folders import NUMBERED
from studio.dataset.types import PICTURES
from studio.dataset.zips import MOST_BYTES, open_zip
from studio.errors import InputError
from studio.files import write_atomically
from studio.images import MAX_FILE_BYTES

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Unpacked:
    """What came out of a zip.

    Attributes:
        folder: the set, ready for :func:`studio.dataset.folders.read_folder`.
        skipped: names of files that are no part of a set and were left in the zip.
    """

    folder: Path
    skipped: tuple[str, ...]


def pack(folder: Path, archive: Path) -> None:
    """Write a set's folder as a zip, whole or not at all. Pictures are compressed already, so they are only stored.

    Raises:
        StorageError: as :func:`studio.files.write_atomically`.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]

    def write(out: BinaryIO) -> None:
        with zipfile.ZipFile(out, "w") as zipped:
            for path in files:
                stored = path.suffix.lower() in PICTURES
                name = path.relative_to(folder).as_posix()
                zipped.write(path, name, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)

    write_atomically(archive, write)


def unpack(archive: Path, folder: Path) -> Unpacked:
    """Take a set out of a zip, in kohya's layout, in a folder of its own or at the top.

    Only pictures, captions and ``dataset.json`` are taken. A name that leads out of the folder, a link or an encrypted
    file refuses the whole zip before anything is written.

    Args:
        archive: the zip.
        folder: a new or empty folder.

    Raises:
        InputError: ``archive_damaged``, ``archive_name_refused``, ``archive_too_large``, ``archive_encrypted``,
            ``dataset_folder_taken``.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError("dataset_folder_taken", f"{folder} is not empty. Choose a new folder.")
    with open_zip(archive) as opened:
        _extract(opened.zipped, opened.kept, folder)
    return Unpacked(_top(folder), opened.skipped)


def _extract(zipped: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], folder: Path) -> None:
    """Byte counts of a zip are claims: what is really read is counted, too."""
    left, aside = MOST_BYTES, folder.with_name(f".{folder.name}.{secrets.token_hex(6)}")
    try:
        aside.mkdir()
        for info in members:
            target = aside.joinpath(*PurePosixPath(info.filename).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            left -= _copy(zipped, info, target, min(left, MAX_FILE_BYTES))
        os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _copy(zipped: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, limit: int) -> int:
    count = 0
    with zipped.open(info) as source, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as out:
        while block := source.read(_BLOCK):
            count += len(block)
            if count > limit:
                raise InputError("archive_too_large", f"{info.filename[:80]!r} unpacks to more than is taken.")
            out.write(block)
    return count


def _top(folder: Path) -> Path:
    """The folder that holds the numbered ones: somebody zips the set's folder, somebody else what is in it."""
    for _ in range(2):
        inside = [path for path in folder.iterdir() if path.is_dir()]
        if any(NUMBERED.fullmatch(path.name) for path in inside) or len(inside) != 1:
            break
        folder = inside[0]
    return folder
