"""Cancel is a flag for what runs and an end for what waits; retry makes an ended job wait again."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django_q.models import OrmQ

from imodel_site.lib import wakeups
from imodel_site.lib.jobs import work as working
from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.jobs.pace import Pace
from imodel_site.lib.jobs.services import cancel, retry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everybody")]


def test_what_waits_is_cancelled_at_once_and_never_starts(shops: Any, errand: Any, lines: Any) -> None:
    job = errand(shops(1)[0])
    cancel(job)
    assert job.status == Status.CANCELLED and job.finished_at and claim_next("light", "test") is None
    cancel(job)
    assert lines(job) == ["ended cancelled"]


def test_what_runs_stops_when_it_looks(shops: Any, errand: Any, lines: Any, settings: Any) -> None:
    settings.JOB_PACE = {"look": 0.0}
    job = errand(shops(1)[0])
    work = claim_next("light", "test")
    assert work is not None and not work.should_stop()
    cancel(job)
    assert job.status == Status.RUNNING and job.cancel_requested_at
    carry_out(work, working.Work.stop_if_asked)
    job.refresh_from_db()
    assert (job.status, job.error_code, job.losses) == (Status.CANCELLED, "", 0)
    assert lines(job) == ["ended cancelled"]


def test_what_was_done_before_the_cancel_was_seen_stays_done(shops: Any, errand: Any, lines: Any) -> None:
    job = errand(shops(1)[0])
    work = claim_next("light", "test")
    assert work is not None
    cancel(job)
    work.finish()
    cancel(job)
    assert job.status == Status.SUCCEEDED and lines(job) == ["ended succeeded"]


def test_a_failed_job_tried_again_is_as_new(shops: Any, errand: Any) -> None:
    job = errand(shops(1)[0], ["raise", "refused"])
    wakeups.work(settings.LANES.index("light"))
    job.refresh_from_db()
    type(job).objects.filter(pk=job.pk).update(plan=[], losses=2)
    OrmQ.objects.all().delete()
    assert retry(job) and OrmQ.objects.count() == 1
    assert (job.status, job.error_code, job.error_message, job.losses, job.finished_at) == ("queued", "", "", 0, None)
    wakeups.work(settings.LANES.index("light"))
    job.refresh_from_db()
    assert (job.status, job.token) == (Status.SUCCEEDED, 2)
    assert not retry(job)


def test_the_pace_that_ships_keeps_the_rules_of_the_house() -> None:
    pace = Pace()
    assert (pace.lease, pace.poison, pace.poison_hours) == (30, 3, 72)
    assert 8 <= pace.heartbeat <= 10 and pace.hold_on < pace.lease and pace.probe + pace.deaf <= 30
