"""An answer that waits for its pictures: so many at once, so long, and then the asynchronous way.

A waiting request holds one of the web server's threads, and nothing else: its database connection is given back between
two looks. So their number is bounded, as that of streams is (docs/decisions/0010), and so is their time: proxies
give up after a minute. The work goes on whatever becomes of the request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection

from accounts.actors import Actor
from generation.models import Shoot
from generation.watching import Subject, watcher
from imodel_site.lib.errors import Refused
from imodel_site.lib.streams import Places

Found = TypeVar("Found")
RELOOK = 2.0  # seconds after which it is looked again though no bell rang
EVERY = 0.1  # between two looks at what no bell rings for
places = Places()


class StillWorking(Refused):
    """The time is up; the work goes on."""

    status = 504


@dataclass(frozen=True)
class Patience:
    """How long this request may still wait."""

    until: float
    clock: Callable[[], float] = field(default=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds; 0 when the time is up."""
        return max(0.0, self.until - self.clock())


def full() -> Refused:
    """There was no place to wait."""
    words = (
        "Too many requests wait for their pictures just now. Nothing was started by this one. Try again in a moment, "
        "or send a force_task_id, with which the work starts at once and the same request collects it later."
    )
    return Refused("no_place_to_wait", words, status=503, retryable=True, retry_after=10)


@contextmanager
def place(actor: Actor) -> Iterator[Patience | None]:
    """A place to wait for as long as the block runs; None when there is none. One shop gets half of them, or one."""
    mine = places.take(actor.merchant.pk, settings.WAITERS, each=max(1, settings.WAITERS // 2))
    try:
        yield Patience(time.monotonic() + settings.WAIT_SECONDS) if mine else None
    finally:
        if mine:
            places.give_back(actor.merchant.pk)


def until_ended(shoot: Shoot, patience: Patience) -> bool:
    """Whether the shoot has ended within the time; ``shoot`` is read afresh."""
    bell = watcher.listen(Subject("shoot", shoot.merchant_id, shoot.pk))
    try:
        while not _ended(shoot):
            if not patience.left:
                return False
            bell.wait(min(patience.left, RELOOK))
        return True
    finally:
        bell.close()


def _ended(shoot: Shoot) -> bool:
    _read_afresh(shoot)
    _give_back()
    return bool(shoot.ended)


def until(look: Callable[[], Found | None], patience: Patience) -> Found | None:
    """What ``look`` finds at last; None when the time was up before."""
    nobody = threading.Event()
    while (found := look()) is None and patience.left:
        _give_back()
        nobody.wait(min(EVERY, patience.left))
    return found


def _give_back() -> None:
    """Somebody else may have the connection meanwhile; inside a transaction (a test's) it stays."""
    if not connection.in_atomic_block:
        connection.close()


def ended(job: Any) -> Any | None:
    """For :func:`until`: the job, once it has ended; read afresh."""
    _read_afresh(job)
    return job if job.ended else None


def _read_afresh(job: Any) -> None:
    """Raise Refused ``work_gone`` (410) where its row is gone: with its shop, for nothing else removes it."""
    try:
        job.refresh_from_db()
    except ObjectDoesNotExist:
        words = "What this request waited for was deleted meanwhile."
        raise Refused("work_gone", words, status=410) from None
