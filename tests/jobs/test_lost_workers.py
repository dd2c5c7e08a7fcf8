"""Leases that run out, the third loss, and what the sweep repairs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import OrmQ

from imodel_site.lib.jobs.carrying import carry_out
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.losses import release_worker
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.jobs.services import cancel
from imodel_site.lib.jobs.sweep import sweep
from imodel_site.lib.jobs.work import LostLease, Retry
from studio.serve.client import ExecutorGone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everybody")]


def _set(job: Any, **fields: Any) -> None:
    type(job).objects.filter(pk=job.pk).update(**fields)


def _lose(job: Any) -> Any:
    """Claim it, let its lease run out, sweep."""
    _set(job, queued_at=Now())
    assert claim_next("light", "test") is not None
    _set(job, lease_until=timezone.now() - timedelta(seconds=1))
    sweep()
    job.refresh_from_db()
    return job


def test_the_third_loss_puts_a_job_aside_with_one_end(shops: Any, errand: Any, lines: Any) -> None:
    job = errand(shops(1)[0])
    assert [_lose(job).status for _ in range(3)] == ["queued", "queued", "failed"]
    assert (job.error_code, job.losses, job.token, job.lease_until) == ("gave_up", 3, 3, None)
    sweep()
    assert lines(job) == ["ended failed"] and claim_next("light", "test") is None


def test_losses_of_long_ago_are_forgotten(shops: Any, errand: Any) -> None:
    job = errand(shops(1)[0])
    _lose(job), _lose(job)
    _set(job, first_loss_at=timezone.now() - timedelta(hours=73))
    assert (_lose(job).status, job.losses) == ("queued", 1)


def test_progress_that_is_kept_forgives_losses_and_other_progress_does_not(shops: Any, errand: Any) -> None:
    job = errand(shops(1)[0])
    _lose(job), _lose(job)
    work = claim_next("light", "test")
    assert work is not None
    work.progress("paint", 0.5)
    job.refresh_from_db()
    assert (job.losses, job.stage, job.fraction) == (2, "paint", 0.5)
    work.progress("rows", 0.6, kept=True)
    job.refresh_from_db()
    assert (job.losses, job.first_loss_at) == (0, None)


def test_a_cancel_whose_worker_vanished_is_an_end(shops: Any, errand: Any, lines: Any) -> None:
    job = errand(shops(1)[0])
    claim_next("light", "test")
    cancel(job)
    _set(job, lease_until=timezone.now() - timedelta(seconds=1))
    sweep()
    job.refresh_from_db()
    assert job.status == Status.CANCELLED and lines(job) == ["ended cancelled"]


def test_a_lease_of_a_clock_that_was_put_back_is_over_too(shops: Any, errand: Any) -> None:
    job = errand(shops(1)[0])
    claim_next("light", "test")
    _set(job, lease_until=timezone.now() + timedelta(seconds=45))
    sweep()
    job.refresh_from_db()
    assert job.status == Status.RUNNING
    _set(job, lease_until=timezone.now() + timedelta(hours=1))
    sweep()
    job.refresh_from_db()
    assert job.status == Status.QUEUED


def test_the_sweep_wakes_what_nobody_would_and_only_that(shops: Any, errand: Any) -> None:
    errand(shops(1)[0])
    assert sweep() == 0 and OrmQ.objects.count() == 1
    OrmQ.objects.all().delete()
    assert sweep() == 1 and sweep() == 0 and OrmQ.objects.count() == 1
    # Pulled by a pusher that died: locked for hours, so nobody else can have it.
    OrmQ.objects.update(lock=timezone.now() + timedelta(hours=2))
    assert sweep() == 1 and OrmQ.objects.count() == 2


def test_a_hook_that_raises_keeps_no_other_job_from_being_moved(
    shops: Any, errand: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = (errand(shop) for shop in shops(2))
    assert claim_next("light", "test") and claim_next("light", "test")
    for job in (bad, good):
        _set(job, losses=2, first_loss_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1))
    ended = type(bad).on_ended

    def trip(self: Any) -> None:
        if self.pk == bad.pk:
            raise RuntimeError("no room in the ledger")
        ended(self)

    monkeypatch.setattr(type(bad), "on_ended", trip)
    sweep()
    bad.refresh_from_db(), good.refresh_from_db()
    assert (bad.status, good.status) == ("running", "failed")


@pytest.mark.parametrize("error", [Retry("the weather"), ExecutorGone("gone")])
def test_trouble_around_a_job_is_a_loss_with_a_pause(shops: Any, errand: Any, error: Exception) -> None:
    job = errand(shops(1)[0])
    work = claim_next("light", "test")
    assert work is not None

    def run(_work: Any) -> None:
        raise error

    carry_out(work, run)
    job.refresh_from_db()
    assert (job.status, job.losses, job.error_code, job.worker) == ("queued", 1, "", "")
    assert job.queued_at > timezone.now() and claim_next("light", "test") is None


def test_a_killed_clusters_jobs_go_back_and_nobody_elses(shops: Any, errand: Any) -> None:
    mine, theirs = (errand(shop) for shop in shops(2))
    claimed = {work.job.pk: work for work in (claim_next("light", f"host:a.1:light:{n}") for n in "12") if work}
    _set(theirs, worker="host:a.11:light:2")
    assert release_worker([type(mine)], "host:a.1:light:", blame=False) == 1
    mine.refresh_from_db(), theirs.refresh_from_db()
    assert (mine.status, mine.losses, theirs.status) == ("queued", 0, "running")
    with pytest.raises(LostLease):
        claimed[mine.pk].finish()
    claimed[theirs.pk].finish()


def test_a_heartbeat_that_changes_no_row_stops_the_work(shops: Any, errand: Any) -> None:
    job = errand(shops(1)[0])
    work = claim_next("light", "test")
    assert work is not None
    _set(job, lease_until=timezone.now() + timedelta(seconds=1))
    work.beat()
    job.refresh_from_db()
    assert job.lease_until > timezone.now() + timedelta(seconds=20) and not work.should_stop()
    _set(job, token=2)
    work.beat()
    assert work.should_stop() and work.lost
    job.refresh_from_db()
    assert job.token == 2
