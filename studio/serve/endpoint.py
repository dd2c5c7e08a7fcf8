"""Where the executor is reached, and the operating system's side of it: socket file, stdin and stdout, the parent."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from studio.errors import InputError, StorageError

# What sun_path holds on Linux, less the ending of the name a socket is bound under first.
LONGEST_PATH = 107 - 8
BACKLOG = 64
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Listening:
    """A listening socket and its file, removed on the way out; neither, when serving on stdin and stdout."""

    path: Path | None
    socket: socket.socket | None
    inode: int = 0

    @classmethod
    def at(cls, path: Path | None) -> Listening:
        """Listen at ``path``, mode 0600; a socket that nobody listens at any more is replaced.

        It is bound under another name and renamed: whoever finds the file can connect to it, and nobody else than its
        owner ever could.

        Raises:
            InputError: ``socket_path_invalid``, ``socket_in_use``.
            StorageError: ``not_writable``.
        """
        if path is None:
            return cls(None, None)
        _refuse_unusable(path)
        aside = path.with_name(f"{path.name}.{secrets.token_hex(3)}.")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(aside))
            os.chmod(aside, 0o600)
            listener.listen(BACKLOG)
            inode = os.stat(aside).st_ino
            os.replace(aside, path)
        except OSError as error:
            listener.close()
            aside.unlink(missing_ok=True)
            raise StorageError("not_writable", f"No socket can be made at {path} ({error.strerror}).") from error
        return cls(path, listener, inode)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file, unless another executor has put its own there meanwhile."""
        if self.path is not None:
            with suppress(OSError):
                if os.stat(self.path).st_ino == self.inode:
                    self.path.unlink()


def _refuse_unusable(path: Path) -> None:
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise InputError("socket_path_invalid", f"{path} is too long for a socket: at most {LONGEST_PATH} bytes.")
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError("socket_path_invalid", f"{path} can not be looked at ({error.strerror}).") from error
    if not stat.S_ISSOCK(mode):
        raise InputError("socket_path_invalid", f"{path} is there and is not a socket. Choose another path.")
    if _answers(path):
        raise InputError("socket_in_use", f"Another executor listens at {path}. Stop it, or choose another path.")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # its backlog is full, or it may not be asked: somebody is there
        return True


async def stdio_streams(limit: int) -> tuple[asyncio.StreamReader, asyncio.WriteTransport]:
    """Messages on stdin and stdout. From now on descriptor 1 is stderr: what a library prints is no message.

    Raises:
        InputError: ``stdio_unusable`` when stdin or stdout is a file.
    """
    loop = asyncio.get_running_loop()
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    reader = asyncio.StreamReader(limit=limit)
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, out)
    except ValueError as error:
        raise InputError("stdio_unusable", "--stdio needs pipes (or a terminal), not files.") from error
    return reader, transport


def watch_parent(pid: int | None, stop: Callable[[], None]) -> None:
    """Call ``stop`` when that process has ended.

    Not PR_SET_PDEATHSIG: that fires when the thread which started us ends, though its process lives on. A pidfd stands
    for the very process; where there is none, its number is asked for each second.
    """
    if pid is None:
        return
    loop = asyncio.get_running_loop()
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        stop()
    except (OSError, AttributeError):
        _poll(pid, stop, loop)
    else:
        loop.add_reader(descriptor, stop)


def _poll(pid: int, stop: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        stop()
        return
    except PermissionError:
        pass  # it is there, and another user's
    loop.call_later(POLL_SECONDS, _poll, pid, stop, loop)


def rss() -> int:
    """Bytes of memory this process holds now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
