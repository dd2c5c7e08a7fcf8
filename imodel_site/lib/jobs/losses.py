"""A worker that is lost, and a job that loses worker after worker."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from imodel_site.lib.jobs.model import Job, Status
from imodel_site.lib.jobs.pace import pace
from imodel_site.lib.jobs.signals import lost, tell_after_commit
from imodel_site.lib.jobs.transitions import advance, in_seconds, lease_over, rows
from imodel_site.lib.jobs.waking import wake

log = logging.getLogger("imodel.jobs")


def lose(job: Job, *, why: str, delay: float = 0.0) -> bool:
    """Back to waiting, counted as a loss; cancelled when that was asked for; put aside at the third loss in 72 hours.

    Args:
        job: running, as it was read; its token is the fence.
        why: for the log.
        delay: seconds until it may start again.
    """
    if job.cancel_requested_at:
        return advance(job, to=Status.CANCELLED, from_=Status.RUNNING, token=job.token)
    tell_after_commit(lost, type(job))
    first, losses = _count(job)
    counted: dict[str, Any] = {"losses": losses, "first_loss_at": first or Now()}
    if losses >= pace().poison:
        log.error("job %s put aside after %s losses: %s", job.pk, losses, why)
        return advance(job, to=Status.FAILED, from_=Status.RUNNING, token=job.token, **counted, **_gave_up())
    log.warning("job %s lost its worker (%s): %s", job.pk, losses, why)
    return _requeue(job, delay, counted)


def hand_back(job: Job) -> bool:
    """Back to waiting without blame: the worker is being stopped. Cancelled when that was asked for."""
    if job.cancel_requested_at:
        return advance(job, to=Status.CANCELLED, from_=Status.RUNNING, token=job.token)
    log.info("job %s handed back", job.pk)
    return _requeue(job, 0.0, {})


def postpone(job: Job, *, why: str) -> bool:
    """Back to waiting without blame, and later: there is no room to work in. Cancelled when that was asked for.

    However often it comes to that: what the operator has to mend must not put a merchant's job aside.
    """
    if job.cancel_requested_at:
        return advance(job, to=Status.CANCELLED, from_=Status.RUNNING, token=job.token)
    log.warning("job %s waits for room: %s", job.pk, why)
    return _requeue(job, pace().no_room, {})


def lose_expired(models: Iterable[type[Job]]) -> int:
    """Every job of these models whose lease is over; how many."""
    return sum(lose(job, why="its lease ran out") for model in models for job in rows(model).filter(lease_over()))


def release_worker(models: Iterable[type[Job]], prefix: str, *, blame: bool) -> int:
    """The jobs of workers that are known to be dead, without waiting for their leases; how many."""
    held = [job for model in models for job in rows(model).filter(status=Status.RUNNING, worker__startswith=prefix)]
    return sum(lose(job, why="its cluster was killed") if blame else hand_back(job) for job in held)


def delay_after(losses: int) -> float:
    """How long a job waits after so many losses before this one."""
    delays = pace().delays
    return delays[min(losses, len(delays) - 1)]


def _requeue(job: Job, delay: float, fields: dict[str, Any]) -> bool:
    # Without a delay it keeps its place: it has waited for its turn already.
    later = {"queued_at": in_seconds(delay)} if delay else {}
    with transaction.atomic(savepoint=False):
        changed = advance(job, to=Status.QUEUED, from_=Status.RUNNING, token=job.token, **fields, **later)
        if changed and not delay:
            wake(job.lane)  # with a delay the sweep does it when the time has come
    return changed


def _count(job: Job) -> tuple[datetime | None, int]:
    """When the running count began, and what it is with this loss."""
    now: datetime = rows(type(job)).filter(pk=job.pk).values_list(Now(), flat=True)[0]
    first = job.first_loss_at
    if first is None or now - first > timedelta(hours=pace().poison_hours):
        return None, 1
    return first, job.losses + 1


def _gave_up() -> dict[str, Any]:
    return {
        "error_code": "gave_up",
        "error_message": _(
            "This job stopped its worker several times, so we put it aside. Try another photo, or ask us for help."
        ),
        "error_retryable": True,
    }
