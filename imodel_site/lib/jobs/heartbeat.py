"""The thread that renews a job's lease while its runner works."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from imodel_site.lib import logs
from imodel_site.lib.jobs.pace import pace
from imodel_site.lib.jobs.work import TROUBLE, Work
from imodel_site.lib.scope import merchant_scope

log = logging.getLogger("imodel.jobs")


@contextmanager
def beating(work: Work) -> Iterator[None]:
    """Heartbeats inside."""
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(work, done), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(pace().lease)


def _beat(work: Work, done: threading.Event) -> None:
    """A thread has its own connection and starts with no scope."""
    wait = pace().heartbeat
    if done.wait(wait):
        return  # most jobs are over by then, and need no connection
    with merchant_scope(work.job.merchant_id), logs.of_job(work.job.pk):
        try:
            wait = _once(work)
            while not done.wait(wait) and not work.lost:
                wait = _once(work)
        finally:
            connection.close()


def _once(work: Work) -> float:
    """Beat; how long to wait for the next."""
    try:
        work.beat()
        return pace().heartbeat
    except TROUBLE as error:
        log.warning("a heartbeat was missed: %s", error)
        connection.close()
        return min(1.0, pace().heartbeat)
