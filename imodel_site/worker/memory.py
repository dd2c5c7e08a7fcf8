"""Which lanes of this machine are taken, and what an earlier supervisor left running."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.core.management.base import CommandError

from imodel_site.lib.jobs import rundir


def occupy(lane: str) -> int:
    """Take a lane for this supervisor; the descriptor that holds it, for as long as this process lives.

    Raises:
        CommandError: another supervisor has it.
    """
    file = rundir.path(f"{lane}.pid")
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise CommandError(
            f"The lane {lane} is already worked by process {other} on this machine. Stop that one first, or start "
            "this one with other --lanes, or with another IMODEL_DATA."
        ) from None
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return handle


def remember(lane: str, pids: Iterable[int]) -> None:
    """Write down the groups that work for a lane and when each began: a pid may be somebody else's later."""
    notes = {str(pid): began for pid in pids if (began := _began(pid)) is not None}
    with suppress(OSError):  # a full disk must not stop the supervisor; the leash is what counts
        rundir.path(f"{lane}.json").write_text(json.dumps(notes))


def bury_leftovers(lane: str) -> int:
    """End the groups that an earlier supervisor of this lane left behind; how many there were."""
    try:
        notes: dict[str, int] = json.loads(rundir.path(f"{lane}.json").read_text())
    except (OSError, ValueError):
        return 0
    left = [int(pid) for pid, began in notes.items() if _began(int(pid)) == began]
    for pid in left:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    return len(left)


def _began(pid: int) -> int | None:
    """When a process began, in clock ticks since boot: field 22 of proc(5)'s stat, the name's parentheses skipped."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
