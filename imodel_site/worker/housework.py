"""What needs the database or may block: the sweep, burying the dead, pings. Threads, so that nothing else waits."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.losses import release_worker
from imodel_site.lib.jobs.pace import pace
from imodel_site.lib.jobs.registry import lane_models
from imodel_site.lib.jobs.sweep import sweep
from imodel_site.lib.scope import unscoped
from studio.serve.client import ExecutorGone, ping

log = logging.getLogger("imodel.worker")


class Housework:
    """One thread with one database connection."""

    def __init__(self) -> None:
        self._dead: queue.SimpleQueue[tuple[str, str, bool]] = queue.SimpleQueue()
        self._left: list[tuple[str, str, bool]] = []
        self._stop = threading.Event()
        self._now = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def bury(self, lane: str, prefix: str, *, blame: bool) -> None:
        """The workers of this name are dead: their jobs go back, as losses or (``blame`` False) without."""
        self._dead.put((lane, prefix, blame))
        self._now.set()

    def stop(self, patience: float) -> None:
        """Finish the burials, for at most so long."""
        self._stop.set()
        self._now.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while True:
            last = self._stop.is_set()
            done = self._once(self._bury_all) and (last or self._once(sweep))
            if last and done:
                connection.close()
                return
            self._now.wait(0.5 if last else pace().sweep)
            self._now.clear()

    def _once(self, chore: Callable[[], object]) -> bool:
        try:
            chore()
            return True
        except Exception as error:  # noqa: BLE001  the database may be away; the next round does what is left
            log.warning("housework: %s: %s", type(error).__name__, error)
            connection.close()
            return False

    def _bury_all(self) -> None:
        while not self._dead.empty():
            self._left.append(self._dead.get())
        while self._left:
            lane, prefix, blame = self._left[0]
            with unscoped("jobs of workers that are dead"):
                release_worker(lane_models(lane), prefix, blame=blame)
            self._left.pop(0)


class Pinger:
    """Pings one executor over and over, and knows when it answered last."""

    def __init__(self, path: Path) -> None:
        self._path, self._done = path, threading.Event()
        self.answered: float | None = None
        threading.Thread(target=self._run, name=f"ping {path.name}", daemon=True).start()

    def close(self) -> None:
        """Ping no more."""
        self._done.set()

    def _run(self) -> None:
        wait = 0.5
        while not self._done.wait(wait):
            try:
                pong = ping(self._path, timeout=5.0)
            except (ExecutorGone, OSError):
                wait = 1.0
            else:
                self.answered, wait = time.monotonic(), pace().ping
                rundir.note(self._path.with_suffix(".pong"), pong)
