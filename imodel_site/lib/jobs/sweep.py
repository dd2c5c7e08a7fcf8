"""Repairs what was left behind: lost workers, lost wake-ups. Runs in the supervisor, outside of django-q2."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django_q.models import OrmQ

from imodel_site.lib.jobs.locks import try_turn
from imodel_site.lib.jobs.losses import lose
from imodel_site.lib.jobs.model import Job, Status
from imodel_site.lib.jobs.registry import lane_models
from imodel_site.lib.jobs.transitions import lease_over, rows
from imodel_site.lib.jobs.waking import wake
from imodel_site.lib.scope import unscoped

log = logging.getLogger("imodel.jobs")


def sweep() -> int:
    """Put right what can be; how many rows were moved and wake-ups written. One at a time over all machines."""
    with unscoped("sweep"), transaction.atomic():
        if not try_turn("sweep"):
            return 0
        return sum(_bury(lane) + _wake(lane) for lane in settings.LANES)


def _bury(lane: str) -> int:
    """Jobs whose lease is over: waiting again, cancelled as asked, or put aside."""
    return sum(_safely(job) for model in lane_models(lane) for job in rows(model).filter(lease_over()))


def _safely(job: Job) -> bool:
    """One row that can't be moved (its ``on_ended`` raises) must not keep the others."""
    move: Callable[..., bool] = lose
    try:
        with transaction.atomic():
            return move(job, why="its lease ran out")
    except Exception:
        log.exception("the sweep could not move job %s", job.pk)
        return False


def _wake(lane: str) -> int:
    """Waiting jobs and no wake-up that a worker could still pull: it was lost, or deleted with its SECRET_KEY."""
    waiting = [rows(model).filter(status=Status.QUEUED, queued_at__lte=Now()) for model in lane_models(lane)]
    if not any(found.exists() for found in waiting):
        return 0
    if OrmQ.objects.filter(key=lane, lock__lte=Now()).exists():
        return 0
    wake(lane, max(1, settings.WORKERS[lane]))
    return 1
