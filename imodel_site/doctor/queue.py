"""The queue: does work get picked up, and is anybody there to pick it up?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils import timezone

from imodel_site.doctor.findings import Finding, bad, ok, warn
from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.model import Job, Status
from imodel_site.lib.scope import unscoped

SILENCE = 60.0  # seconds; longer than the supervisor lets a lane be silent
LONG_WAIT, LONG_DEAD = timedelta(minutes=30), timedelta(minutes=2)


def kinds() -> list[Any]:
    """Every table of jobs."""
    return [model for model in apps.get_models() if issubclass(model, Job)]


def jobs() -> Iterator[Finding]:
    """How many wait, since when, and whether lost ones are taken back."""
    with unscoped("doctor looks at the queue of everybody"):
        waiting = [
            job for kind in kinds() for job in kind.objects.filter(status=Status.QUEUED).order_by("queued_at")[:1]
        ]
        count = sum(kind.objects.filter(status=Status.QUEUED).count() for kind in kinds())
        late = timezone.now() - LONG_DEAD
        dead = sum(kind.objects.filter(status=Status.RUNNING, lease_until__lt=late).count() for kind in kinds())
    if dead:
        yield bad("queue", f"{dead} jobs lost their worker and nobody took them back", "Start: manage.py worker")
    elif not waiting:
        yield ok("queue", "nothing waits")
    else:
        yield _oldest(count, timezone.now() - min(job.queued_at for job in waiting))


def _oldest(count: int, age: timedelta) -> Finding:
    says = f"{count} waiting, the oldest for {int(age.total_seconds())} s"
    if age > LONG_WAIT:
        return warn("queue", says, "Start more workers (IMODEL_GENERATE_WORKERS, or another machine).")
    return ok("queue", says)


def workers() -> Iterator[Finding]:
    """Each lane that this machine is meant to work on has given a sign of life; its supervisor asks for one."""
    lanes = [lane for lane, count in settings.WORKERS.items() if count]
    if not lanes:
        yield ok("workers", "none are meant to run on this machine")
        return
    silent = [lane for lane in lanes if rundir.age(rundir.path(f"{lane}.beat")) > SILENCE]
    if silent:
        yield bad("workers", f"no sign of life from {', '.join(silent)}", "Start: manage.py worker (or manage.py up)")
    else:
        yield ok("workers", f"{', '.join(lanes)}: alive")
