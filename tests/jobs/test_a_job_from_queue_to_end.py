"""One job, claimed and carried out as a wake-up does it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django_q.models import OrmQ

from imodel_site.lib import wakeups
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.jobs.work import LostLease

pytestmark = pytest.mark.usefixtures("everybody")
LIGHT = settings.LANES.index("light")


def test_enqueueing_writes_the_row_and_its_wake_up(shops: Any, errand: Any) -> None:
    job = errand(shops(1)[0])
    assert (job.status, job.token) == (Status.QUEUED, 0)
    found = OrmQ.objects.get()
    assert (found.key, found.task["func"], found.task["args"]) == ("light", "imodel_site.lib.wakeups.work", (LIGHT,))


def test_a_wake_up_carries_out_everything_that_waits(shops: Any, errand: Any, lines: Any) -> None:
    jobs = [errand(shop) for shop in shops(2) for _ in range(2)]
    assert wakeups.work(LIGHT) is None
    for job in jobs:
        job.refresh_from_db()
        assert (job.status, job.token, job.fraction) == (Status.SUCCEEDED, 1, 1.0)
        assert lines(job) == ["ended succeeded", "result", "started"]
        assert job.finished_at >= job.started_at >= job.queued_at


def test_a_second_wake_up_finds_nothing(shops: Any, errand: Any, lines: Any) -> None:
    job = errand(shops(1)[0])
    wakeups.work(LIGHT)
    wakeups.work(LIGHT)
    assert lines(job) == ["ended succeeded", "result", "started"]


def test_a_worker_that_lost_its_lease_writes_nothing(shops: Any, errand: Any, lines: Any) -> None:
    job = errand(shops(1)[0])
    stale = claim_next("light", "one")
    assert stale is not None
    _expire(job)
    fresh = claim_next("light", "two")
    assert fresh is not None and fresh.token == stale.token + 1
    wrote: list[str] = []
    with pytest.raises(LostLease):
        stale.finish(lambda: wrote.append("stale"))
    stale.progress("paint", 0.7)
    assert stale.should_stop() and not fresh.should_stop()
    fresh.finish(lambda: wrote.append("fresh"))
    job.refresh_from_db()
    assert (wrote, job.status, job.token, job.losses) == (["fresh"], Status.SUCCEEDED, 2, 1)
    assert job.stage == "" and lines(job) == ["ended succeeded"]


@pytest.mark.parametrize(
    ("raises", "code", "words", "retryable"),
    [
        ("refused", "too_odd", "That is too odd. Take another.", False),
        ("studio", "photo_too_large", "The photo is too large. Take a smaller one.", False),
    ],
)
def test_what_is_the_merchants_to_act_on_is_said_in_its_words(
    shops: Any, errand: Any, lines: Any, raises: str, code: str, words: str, retryable: bool
) -> None:
    job = errand(shops(1)[0], ["raise", raises])
    wakeups.work(LIGHT)
    job.refresh_from_db()
    assert (job.status, job.error_code, job.error_message) == (Status.FAILED, code, words)
    assert job.error_retryable is retryable and lines(job) == ["ended failed", "started"]


def test_a_bug_is_told_by_an_id_that_the_log_has_too(shops: Any, errand: Any, caplog: pytest.LogCaptureFixture) -> None:
    job = errand(shops(1)[0], ["raise", "bug"])
    wakeups.work(LIGHT)
    job.refresh_from_db()
    assert (job.status, job.error_code, job.error_retryable) == (Status.FAILED, "internal", True)
    assert "secret-detail" not in job.error_message
    record = next(record for record in caplog.records if record.exc_info)
    incident = record.getMessage().rsplit(" ", 1)[1]
    assert incident in job.error_message and record.exc_info[0] is KeyError


def _expire(job: Any) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from imodel_site.lib.jobs.transitions import rows

    rows(type(job)).filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
