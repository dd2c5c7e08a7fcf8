"""Which resident executor a worker process may use: each has one for itself while it works."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.work import Retry
from studio.serve.client import Executor, ExecutorGone, OnEvent, ping

# An executor that starts anew loads its engine first; a worker waits for it rather than spend one of three losses.
PATIENCE = 60.0


def socket_path(lane: str, number: int) -> Path:
    """Where an executor listens."""
    return rundir.path(f"{lane}-{number}.sock")


def sign_of_work(lane: str, number: int) -> Path:
    """The lock's file; touched by every event of a job, so that the supervisor sees the executor work."""
    return rundir.path(f"{lane}-{number}.lock")


class _Watched(Executor):
    """Leaves a sign with each event."""

    def __init__(self, lane: str, number: int) -> None:
        super().__init__(socket_path(lane, number))
        self._sign = sign_of_work(lane, number)

    def run(self, message: Mapping[str, Any], *, on_event: OnEvent, **rest: Any) -> dict[str, Any]:
        """As the executor's own."""

        def seen(event: dict[str, Any]) -> None:
            rundir.touch(self._sign)
            on_event(event)

        return super().run(message, on_event=seen, **rest)


@contextmanager
def borrow(lane: str) -> Iterator[Executor]:
    """An executor of the lane that nobody else uses meanwhile.

    Raises:
        Retry: none is free, or none answers; the job starts again later.
    """
    number, lock = _take(lane, time.monotonic() + PATIENCE)
    try:
        _wait_for(socket_path(lane, number), time.monotonic() + PATIENCE)
        yield _Watched(lane, number)
    finally:
        os.close(lock)


def _take(lane: str, until: float) -> tuple[int, int]:
    """The first free one's number and its lock; the kernel gives the lock back whatever becomes of us."""
    while True:
        for number in range(max(1, settings.WORKERS[lane])):
            lock = _lock(sign_of_work(lane, number))
            if lock is not None:
                return number, lock
        if time.monotonic() > until:
            raise Retry(f"no executor of lane {lane} became free")
        time.sleep(0.1)


def _lock(file: Path) -> int | None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _wait_for(path: Path, until: float) -> None:
    while True:
        try:
            ping(path)
            return
        except ExecutorGone as error:
            if time.monotonic() > until:
                raise Retry(str(error)) from error
            time.sleep(0.2)
