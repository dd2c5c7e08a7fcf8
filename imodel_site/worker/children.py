"""Child processes, each the leader of its own group, so that none of its descendants survives it."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger("imodel.worker")
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Grandchildren whose parent dies become our children (Linux), so that we notice their end and can reap them."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass
class Child:
    """A process and its group."""

    name: str
    process: subprocess.Popen[bytes]
    status: int | None = field(default=None)

    @property
    def pid(self) -> int:
        """Also the group's."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the leader lives."""
        return self.status is None

    def ask_to_stop(self) -> None:
        """SIGTERM to the leader only: django-q2 hangs when its whole group gets it."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill_group(self) -> None:
        """SIGKILL to the leader and whatever it left behind."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    @property
    def gone(self) -> bool:
        """Whether nobody of the group is left."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return True
        return False


class Children:
    """Starts and reaps; the only place that waits, because orphans that we adopted must be waited for too."""

    def __init__(self) -> None:
        self._known: dict[int, Child] = {}

    def start(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, keep: Sequence[int] = ()
    ) -> Child:
        """Start by exec, in a session of its own, with the descriptors ``keep`` and no others."""
        process = subprocess.Popen(
            command, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=tuple(keep)
        )
        child = Child(name, process)
        self._known[child.pid] = child
        log.info("%s started as %s", name, child.pid)
        return child

    def reap(self) -> None:
        """Take note of who has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._known.pop(pid, None)
            if child is not None:
                child.status = child.process.returncode = os.waitstatus_to_exitcode(status)
