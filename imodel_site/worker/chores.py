"""Calls what apps registered in ``imodel_site.lib.periodic``, apart from the sweep, which never waits for anything."""

from __future__ import annotations

import logging
import socket
import threading

from django.core.cache import cache
from django.db import connection

from imodel_site.lib.periodic import Periodic, registered

log = logging.getLogger("imodel.worker")
LOOK_EVERY = 60.0


class Chores:
    """One thread with one database connection."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Start nothing new, and wait so long for what is under way; each of them may be cut off anywhere."""
        self._stop.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            run_due(self._stop)
            connection.close()


def run_due(stop: threading.Event) -> list[str]:
    """Call what is due and return its names; one that fails is logged and comes again after its time."""
    called = []
    for entry in registered():
        if not stop.is_set() and _mine(entry):
            called.append(entry.name)
            _call(entry)
    return called


def _mine(entry: Periodic) -> bool:
    """Whether it is due and no other machine has taken it: the cache's ``add`` lets one of them have it."""
    mine = f":{socket.gethostname()}" if entry.everywhere else ""
    return bool(cache.add(f"periodic:{entry.path}{mine}", "taken", timeout=entry.seconds))


def _call(entry: Periodic) -> None:
    try:
        done = entry.load()()
    except Exception:  # the others are still to be called, and the sweep's process must live
        log.exception("periodic: %s failed", entry.name)
    else:
        log.info("periodic: %s did %s", entry.name, done)
