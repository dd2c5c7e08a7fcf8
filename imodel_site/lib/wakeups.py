"""What django-q2 calls: "there is work in this lane". Ints in, None out, never raises (docs/jobs.md)."""

from __future__ import annotations

import logging
import os
import socket
import time

from django.conf import settings
from django.db import connection
from django_q.exceptions import TimeoutException

from imodel_site.lib import logs
from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.pace import pace
from imodel_site.lib.jobs.registry import discover, lane_models, runner_of
from imodel_site.lib.jobs.waking import wake
from imodel_site.lib.jobs.work import Work
from imodel_site.lib.scope import merchant_scope, no_scope

log = logging.getLogger("imodel.jobs")


def work(lane: int) -> None:
    """Claim and carry out until nothing is left that may start now, or the shift is over."""
    try:
        with no_scope():
            _work(settings.LANES[lane])
    except (Exception, TimeoutException):  # django-q2 must see it as done: the rows say what is left to do
        log.exception("a wake-up of lane %s broke off", lane)
        connection.close()


def _work(lane: str) -> None:
    discover()
    rundir.beat(lane)
    models = [model for model in lane_models(lane) if runner_of(model)]
    first, until = True, time.monotonic() + pace().shift
    while rundir.drain_deadline(lane) is None:
        found = claim_next(lane, worker_name(lane), models=models, look_first=first)
        if found is None:
            return
        first = False
        rundir.beat(lane)
        _carry(found)
        if time.monotonic() >= until:
            wake(lane)
            return


def _carry(found: Work) -> None:
    run = runner_of(type(found.job))
    assert run is not None, "only models with a runner were claimed"
    with merchant_scope(found.job.merchant_id), logs.of_job(found.job.pk):
        carry_out(found, run)


def worker_name(lane: str) -> str:
    """``host:supervisor:lane:pid``; the supervisor knows its own by what it handed down."""
    prefix = os.environ.get("IMODEL_WORKER", f"{socket.gethostname()[:40]}:-:{lane}")
    return f"{prefix}:{os.getpid()}"
