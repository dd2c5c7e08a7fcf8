"""Carrying out one claimed job, and what becomes of it when its runner raises."""

from __future__ import annotations

import errno
import logging
import secrets
import sqlite3
import time
from typing import Any

from django.db import OperationalError
from django.utils.translation import gettext as _
from django_q.exceptions import TimeoutException

from imodel_site.lib.errors import Refused
from imodel_site.lib.jobs.heartbeat import beating
from imodel_site.lib.jobs.registry import Runner
from imodel_site.lib.jobs.signals import ran, tell
from imodel_site.lib.jobs.work import TROUBLE, LostLease, Retry, Work
from studio.errors import Cancelled, StorageError, StudioError
from studio.serve.client import ExecutorGone, JobError

log = logging.getLogger("imodel.jobs")
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
POSTGRES_FULL, SQLITE_FULL = "53100", sqlite3.SQLITE_FULL


def carry_out(work: Work, run: Runner) -> None:
    """Run it to an end: afterwards the row has left ``running``, or it is somebody else's.

    Raises:
        OperationalError, InterfaceError: the database is away for long; the lease will run out.
    """
    began = time.monotonic()
    try:
        with beating(work):
            run(work)
        if not work.ended:
            raise RuntimeError(f"the runner of {type(work.job).__name__} came back without an end")
    except LostLease as error:
        log.warning("fenced out: %s", error)
    except (Exception, TimeoutException) as error:  # noqa: BLE001  each kind has its answer
        _answer(work, error)
    finally:
        tell(ran, type(work.job), seconds=time.monotonic() - began)


def _answer(work: Work, error: BaseException) -> None:
    """Nothing once it has ended: a runner that trips over its own cleaning up changes no result."""
    if work.ended:
        log.error("after its end the job raised", exc_info=error)
        return
    try:
        _end(work, error)
    except LostLease as lost:
        log.warning("fenced out: %s", lost)


def _end(work: Work, error: BaseException) -> None:
    if _stopped(error) and work.should_stop():
        _stop(work)
    elif isinstance(error, Retry):
        work.give_up(str(error), delay=error.delay)
    elif _no_space(error):
        log.error("there is no room: the job waits for it", exc_info=error)
        work.postpone(f"{type(error).__name__}: {error}")
    elif isinstance(error, (ExecutorGone, *TROUBLE)):
        log.warning("trouble around the job", exc_info=error)
        work.give_up(f"{type(error).__name__}: {error}")
    elif isinstance(error, TimeoutException):
        log.error("the job took too long", exc_info=error)
        work.fail("timed_out", _("This took too long, so we stopped it. Order less at once."), retryable=True)
    elif isinstance(error, (Refused, StudioError)):
        work.fail(error.code, str(error.message), retryable=error.retryable)
    elif isinstance(error, JobError):
        _executor_failed(work, error)
    else:
        _fail_inside(work, error)


def _stop(work: Work) -> None:
    if work.lost:
        log.warning("stopped: the lease is lost")
    else:  # hand_back() looks at the row: cancelled where that was asked for
        work.hand_back()


def _stopped(error: BaseException) -> bool:
    return isinstance(error, Cancelled) or (isinstance(error, JobError) and error.kind == "cancelled")


def _no_space(error: BaseException) -> bool:
    """The disk is full or broken, this machine's or the database's: the operator's trouble, not the job's."""
    if isinstance(error, OperationalError):
        cause = error.__cause__
        return getattr(cause, "sqlstate", "") == POSTGRES_FULL or getattr(cause, "sqlite_errorcode", 0) == SQLITE_FULL
    if isinstance(error, OSError):
        return error.errno in NO_SPACE
    return isinstance(error, StorageError) or (isinstance(error, JobError) and error.kind == "storage")


def _executor_failed(work: Work, error: JobError) -> None:
    if error.kind in ("input", "engine", "weights"):
        log.warning("the executor refused the job: %s", error)
        work.fail(error.code, error.message, retryable=error.retryable)
    else:
        _fail_inside(work, error, incident=error.incident)


def _fail_inside(work: Work, error: Any, *, incident: str | None = None) -> None:
    incident = incident or secrets.token_hex(4)
    log.error("job failed inside, error id %s", incident, exc_info=error)
    message = _("Something went wrong on our side; nothing was charged. Try again, or tell us this id: %s.") % incident
    work.fail("internal", message, retryable=True)
