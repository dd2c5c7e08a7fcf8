"""Position and ETA."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.queue import eta_seconds, position

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everybody")]


def _past(shop: Any, errand: Any, *seconds: float) -> None:
    end = timezone.now() - timedelta(hours=1)
    for span in seconds:
        job = errand(shop)
        type(job).objects.filter(pk=job.pk).update(
            status="succeeded", started_at=end - timedelta(seconds=span), finished_at=end
        )


def test_others_come_in_turn_not_all_before(shops: Any, errand: Any) -> None:
    big, small = shops(2)
    backlog = [errand(big) for _ in range(10)]
    first, second = errand(small), errand(small)
    # Two jobs may come in the same millisecond; which of them goes first is then up to their ids.
    assert sorted((position(first), position(second))) == [2, 4]
    assert sorted(position(job) for job in backlog) == [2, *range(4, 13)]
    claim_next("light", "test")
    for job in (*backlog, first, second):
        job.refresh_from_db()
    running = next(job for job in (*backlog, first) if job.status == "running")
    assert position(running) == 0


def test_the_eta_is_what_the_usual_run_takes_times_what_is_before(shops: Any, errand: Any) -> None:
    shop = shops(1)[0]
    waiting = [errand(shop) for _ in range(3)]
    assert eta_seconds(waiting[0]) is None
    _past(shop, errand, 10, 10, 10, 500)
    assert sorted(eta_seconds(job) or 0 for job in waiting) == [10, 20, 30]


def test_a_running_job_is_believed_the_more_the_further_it_is(shops: Any, errand: Any) -> None:
    shop = shops(1)[0]
    _past(shop, errand, 10, 10, 10)
    job = errand(shop)
    claim_next("light", "test")
    Errand = type(job)
    Errand.objects.filter(pk=job.pk).update(started_at=timezone.now() - timedelta(seconds=40), fraction=0.5)
    job.refresh_from_db()
    # It says 80 s in all, others took 10: between them, 45; and at least a second is always left.
    eta = eta_seconds(job)
    assert eta is not None and 4 <= eta <= 6
    Errand.objects.filter(pk=job.pk).update(fraction=0.0)
    job.refresh_from_db()
    assert eta_seconds(job) == 1
