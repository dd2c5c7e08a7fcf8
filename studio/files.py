"""Files are written whole or not at all, singly or as a set.

Each file is first written aside, in the folder where it will stand, and flushed to the disk; only when every file of
the set is there are they renamed into place. A full disk is therefore met before anything visible has changed. Should
a rename itself fail, the ones before it are taken back. What a filesystem can not give: should the machine lose power
between two renames of a set, some files are the new ones and some the old, each of them whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from studio.errors import StorageError

Content = bytes | Callable[[BinaryIO], object]
"""A file's bytes, or a function that writes them to an open binary file."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def write_atomically(path: str | os.PathLike[str], content: Content) -> None:
    """Write one file: afterwards it is there whole, or as it was before the call.

    Raises:
        StorageError: ``disk_full`` (retryable), ``folder_missing``, ``not_writable``, ``not_a_file``, ``not_written``.
    """
    write_all({path: content})


def write_all(files: Mapping[str | os.PathLike[str], Content]) -> None:
    """Write a set of files: afterwards all of them are there, or each is as it was before the call.

    Args:
        files: content by path; folders must exist, files that are there are replaced.

    Raises:
        StorageError: as :func:`write_atomically`; nothing half-written is left behind. What a writing function
            raises besides OSError passes through, with the same promise.
    """
    steps = [_Step.to(Path(path)) for path in files]
    with contextlib.ExitStack() as cleanup:
        for step, content in zip(steps, files.values(), strict=True):
            with _explained(step.path):
                cleanup.callback(step.tidy)
                step.write(content)
        _into_place(steps)
    for folder in {step.path.parent for step in steps}:
        _flush_folder(folder)


def _into_place(steps: list[_Step]) -> None:
    """Rename every file to its name; when one can not be, take back those before it, last first."""
    if len(steps) == 1:
        with _explained(steps[0].path):
            os.replace(steps[0].aside, steps[0].path)
        return
    with contextlib.ExitStack() as rollback:
        for step in steps:
            with _explained(step.path):
                step.keep_old()
                rollback.callback(step.take_back)
                os.replace(step.aside, step.path)
        rollback.pop_all()


@dataclass(frozen=True)
class _Step:
    """One file of a set: where it goes, where it is written first, where the old one waits meanwhile."""

    path: Path
    aside: Path
    old: Path

    @classmethod
    def to(cls, path: Path) -> _Step:
        if path.exists() and not path.is_file():
            # Renaming over /dev/null or a folder would replace the thing itself.
            raise StorageError("not_a_file", f"{path} is there and is not a file. Choose another name.")
        target = Path(os.path.realpath(path))  # through a symbolic link, as an ordinary write would go
        unique = f".{target.name[:100]}.{secrets.token_hex(6)}"
        return cls(target, target.with_name(f"{unique}.part"), target.with_name(f"{unique}.old"))

    def write(self, content: Content) -> None:
        # Not tempfile: its 0600 would make a picture unreadable to the web server; here the umask decides.
        descriptor = os.open(self.aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                content(file)
            file.flush()
            os.fsync(file.fileno())

    def keep_old(self) -> None:
        """A second name for what is there; where the filesystem has no hard links, the name itself moves."""
        try:
            os.link(self.path, self.old)
        except FileNotFoundError:
            return
        except OSError:
            if self.path.is_dir():
                raise  # somebody made a folder of that name meanwhile: it is not ours to move away
            os.replace(self.path, self.old)

    def take_back(self) -> None:
        """As it was: the old file, or none where there was none."""
        if self.old.exists():
            os.replace(self.old, self.path)
        else:
            self.path.unlink(missing_ok=True)

    def tidy(self) -> None:
        self.aside.unlink(missing_ok=True)
        self.old.unlink(missing_ok=True)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _storage_error(path, error) from error


def _storage_error(path: Path, error: OSError) -> StorageError:
    reason = error.strerror or str(error)
    if error.errno in FULL:
        message = f"No room to write {path} ({reason}). Nothing was kept of it. Free some space and try again."
        return StorageError("disk_full", message, retryable=True)
    if error.errno == errno.ENOENT:
        return StorageError("folder_missing", f"There is no folder {path.parent} for {path.name}. Create it first.")
    if error.errno in FORBIDDEN and not path.is_dir():
        return StorageError("not_writable", f"{path} may not be written ({reason}). Choose another place.")
    return StorageError("not_written", f"{path} could not be written ({reason}).")


def _flush_folder(folder: Path) -> None:
    """Make the renames survive a power cut; some network filesystems refuse to flush a folder and are trusted."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise _storage_error(folder, error) from error
    finally:
        os.close(descriptor)
