"""One look at the database for all streams of this process: which of the watched jobs have moved.

A single thread asks, twice a second and only while somebody listens, whatever the room says (``states``), and rings the
bell of each subject that changed. What changed is then read by the stream itself, in its own scope.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

log = logging.getLogger("imodel.streams")

EVERY = 0.4  # seconds


@dataclass(frozen=True)
class Subject:
    """What is watched: one job, or all of a group; ``kind`` is the room's word for it."""

    kind: str
    merchant_id: UUID
    pk: UUID


class Bell:
    """One stream's; it rings for its subject."""

    def __init__(self, watcher: Watcher, subject: Subject) -> None:
        self.subject = subject
        self._watcher = watcher
        self._rung = threading.Event()

    def ring(self) -> None:
        """From the watcher's thread."""
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        """See ``streams.Bell``."""
        rang = self._rung.wait(seconds)
        self._rung.clear()
        return rang

    def close(self) -> None:
        """See ``streams.Bell``."""
        self._watcher.forget(self)


class Watcher:
    """The thread, and who listens to it. It starts with the first listener and ends with the last."""

    def __init__(self, states: Callable[[Iterable[Subject]], Mapping[Subject, Hashable]], every: float = EVERY) -> None:
        self._states = states
        self._every = every
        self._lock = threading.Lock()
        self._bells: set[Bell] = set()
        self._known: dict[Subject, Hashable] = {}
        self._nobody = threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self, subject: Subject) -> Bell:
        """A bell that rings whenever the subject has moved; close it."""
        bell = Bell(self, subject)
        with self._lock:
            if self._thread is None:
                self._nobody = threading.Event()
                thread = threading.Thread(target=self._run, args=(self._nobody,), name="streams", daemon=True)
                thread.start()  # a machine without one more thread says so here, and the next listener tries again
                self._thread = thread
            self._bells.add(bell)
        return bell

    def forget(self, bell: Bell) -> None:
        """The last one takes the thread along."""
        with self._lock:
            self._bells.discard(bell)
            if not self._bells:
                self._nobody.set()
                self._thread = None

    def _run(self, nobody: threading.Event) -> None:
        try:
            while not nobody.wait(self._every):
                self.tick()
        finally:
            connection.close()

    def tick(self) -> None:
        """Look once, and ring; where the database is away every bell rings, and each stream finds out by itself."""
        with self._lock:
            bells = list(self._bells)
        try:
            found: Mapping[Subject, Hashable] = self._states({bell.subject for bell in bells})
        except Exception as error:  # noqa: BLE001  # whatever it is, the streams that look themselves will say
            log.warning("streams could not look: %s", error)
            connection.close()
            found = {}
            self._known = {}
        for bell in bells:
            if not found or self._known.get(bell.subject) != found.get(bell.subject):
                bell.ring()
        self._known = dict(found)
