"""Carries webhooks: a thread that talks to the database, and a fixed pool that only talks to shops (docs/webhooks.md).

What is on its way is leased in the database, so any number of machines may do this at once, and what a machine that
died had in its hands is sent again by another, under the same webhook-id.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

from django.db import InterfaceError, OperationalError, connection

from accounts.services.webhooks import notices, outcomes, sending, turns
from accounts.services.webhooks.sending import Outcome, Parcel
from imodel_site.lib.fetch import Fetcher
from imodel_site.metrics import counting

log = logging.getLogger("imodel.webhooks")
# Tries at once of each kind of endpoint. Each kind has places of its own, which no other can take: an endpoint that
# answers never waits for one that does not.
ROOMS = {turns.QUICK: 6, turns.SLOW: 2, turns.REFUSING: 3, turns.STUCK: 2, turns.FRESH: 3}
POOL = sum(ROOMS.values())
LOOK_EVERY = 0.5  # seconds, while nothing moves
AFTER_TROUBLE = 2.0
Work = queue.SimpleQueue[Callable[[], None] | None]


class Hands:
    """What is being sent right now, and what came of it; only the courier's thread counts."""

    def __init__(self) -> None:
        self._busy: Counter[str] = Counter()
        self.done: queue.SimpleQueue[tuple[Parcel, Outcome]] = queue.SimpleQueue()

    @property
    def empty(self) -> bool:
        """Whether nothing is on its way and nothing is left to be written down."""
        return not self._busy.total() and self.done.empty()

    def room(self) -> dict[str, int]:
        """How many more of each kind."""
        return {kind: most - self._busy[kind] for kind, most in ROOMS.items()}

    def take(self, parcel: Parcel) -> None:
        """It is on its way."""
        self._busy[parcel.kind] += 1

    def back(self) -> tuple[Parcel, Outcome]:
        """The next that is done."""
        parcel, outcome = self.done.get()
        self._busy[parcel.kind] -= 1
        return parcel, outcome


class Courier:
    """Started and stopped by the supervisor of ``manage.py worker``."""

    def __init__(self, line: Fetcher | None = None) -> None:
        self._line = line
        self._hands = Hands()
        self._unwritten: list[tuple[Parcel, Outcome]] = []
        self._todo: Work = queue.SimpleQueue()
        self._mails: Work = queue.SimpleQueue()  # a hand of their own: a slow mail server must delay no webhook
        self._now, self._drain, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begin."""
        for number in range(POOL):
            threading.Thread(target=_work, args=(self._todo,), name=f"webhook {number}", daemon=True).start()
        threading.Thread(target=_work, args=(self._mails,), name="webhook mails", daemon=True).start()
        self._thread.start()

    def drain(self) -> None:
        """Take nothing new."""
        self._drain.set()
        self._now.set()

    def stop(self, patience: float) -> None:
        """Wait so long for what is on its way; the rest is sent again when its lease is over."""
        self.drain()
        self._thread.join(patience)
        self._stop.set()
        for work in (*[self._todo] * POOL, self._mails):
            work.put(None)

    # --- the thread with the database -----------------------------------------------------------------------------
    def _run(self) -> None:
        line = self._line or sending.line()
        while not self._stop.is_set() and not (self._drain.is_set() and self._idle):
            self._now.clear()
            if not self._round(line):
                self._now.wait(LOOK_EVERY)
        connection.close()

    @property
    def _idle(self) -> bool:
        return self._hands.empty and not self._unwritten

    def _round(self, line: Fetcher) -> int:
        """Write down what is done, take what is due; how many were taken."""
        try:
            self._write_down()
            return 0 if self._drain.is_set() else self._take(line)
        except Exception as error:  # noqa: BLE001  the database may be away; the next round does what is left
            log.warning("courier: %s: %s", type(error).__name__, error)
            connection.close()
            self._stop.wait(AFTER_TROUBLE)
            return 0

    def _write_down(self) -> None:
        while not self._hands.done.empty():
            self._unwritten.append(self._hands.back())
        while self._unwritten:
            notice = _record(*self._unwritten[0])
            counting.webhook(self._unwritten.pop(0)[1].status)
            if notice is not None:
                self._mails.put(partial(_tell, notice))

    def _take(self, line: Fetcher) -> int:
        parcels = turns.claim(self._hands.room())
        for parcel in parcels:
            self._hands.take(parcel)
            self._todo.put(partial(self._send, parcel, line))
        return len(parcels)

    # --- the pool -------------------------------------------------------------------------------------------------
    def _send(self, parcel: Parcel, line: Fetcher) -> None:
        try:
            outcome = sending.send(parcel, line)
        except Exception:  # the courier must learn that its hand is free again
            log.exception("webhook %s could not be tried", parcel.delivery_id)
            outcome = Outcome(None, "internal_error")
        self._hands.done.put((parcel, outcome))
        self._now.set()


def _record(parcel: Parcel, outcome: Outcome) -> notices.Notice | None:
    """One that can not be written down must not hold up all that come after it: its lease ends, and it is sent again.

    Raises:
        OperationalError, InterfaceError: the database is away; this one waits for it.
    """
    try:
        return outcomes.record(parcel, outcome)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("the try of webhook %s could not be written down", parcel.delivery_id)
        return None


def _work(todo: Work) -> None:
    while (work := todo.get()) is not None:
        work()


def _tell(notice: notices.Notice) -> None:
    try:
        notices.tell(notice)
    except Exception:  # the page says it as well
        log.exception("the owners of webhook %s could not be told", notice.endpoint_id)
    finally:
        connection.close()
