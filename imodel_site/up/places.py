"""Where to listen, and that no second supervisor uses the same folder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandError

FIRST, TRIED = 8000, 20


def choose_port(host: str, asked: int | None) -> int:
    """The port asked for, or the first free one from 8000 on.

    Raises:
        CommandError: the one asked for is taken, or all are.
    """
    if asked is not None:
        if not _free(host, asked):
            raise CommandError(
                f"Port {asked} of {host} is taken. Stop what uses it, or choose another: IMODEL_PORT=8080."
            )
        return asked
    for port in range(FIRST, FIRST + TRIED):
        if _free(host, port):
            return port
    raise CommandError(
        f"Ports {FIRST} to {FIRST + TRIED - 1} of {host} are all taken. Choose another: IMODEL_PORT=9000."
    )


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise CommandError(f"Can not listen on {host}: {error.strerror}.") from error
    return True


class OnlyOne:
    """A lock that the kernel takes back when this process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / "up.json"
        self.file: IO[str] = open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(self._already()) from None

    def _already(self) -> str:
        facts = _facts(self.file.read())
        where = f" at {facts['address']} (process {facts['pid']})" if facts else ""
        return (
            f"It is running already{where}. Stop that one first, or give this one a folder of its own: IMODEL_DATA=..."
        )

    def tell(self, address: str) -> None:
        """Leave the address for whoever comes next."""
        self.file.seek(0)
        self.file.truncate()
        json.dump({"address": address, "pid": os.getpid()}, self.file)
        self.file.flush()


def _facts(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and {"address", "pid"} <= set(found) else {}
