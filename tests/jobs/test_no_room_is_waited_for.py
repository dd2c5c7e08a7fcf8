"""A full disk is the operator's trouble: the job waits for room, however long that takes, and nobody is to blame."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from imodel_site.lib.jobs.carrying import SQLITE_FULL, carry_out
from imodel_site.lib.jobs.claims import claim_next
from imodel_site.lib.jobs.services import cancel
from studio.errors import StorageError
from studio.serve.client import JobError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everybody")]


def _database_full(sqlstate: str = "", sqlite_errorcode: int = 0) -> OperationalError:
    """As Django hands it on: the driver's own error is the cause."""
    cause = Exception("disk full")
    cause.sqlstate, cause.sqlite_errorcode = sqlstate, sqlite_errorcode  # type: ignore[attr-defined]
    error = OperationalError("could not extend file")
    error.__cause__ = cause
    return error


FULL = {
    "disk": OSError(errno.ENOSPC, "No space left on device"),
    "storage": StorageError("disk_full", "No file can be stored.", retryable=True),
    "executor": JobError("storage", "disk_full", "No room.", retryable=True),
    "postgres": _database_full(sqlstate="53100"),
    "sqlite": _database_full(sqlite_errorcode=SQLITE_FULL),
}


def _meet(job: Any, error: Exception) -> Any:
    """Claim the job and meet the error."""
    type(job).objects.filter(pk=job.pk).update(queued_at=Now())
    work = claim_next("light", "test")
    assert work is not None

    def run(_work: Any) -> None:
        raise error

    carry_out(work, run)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("where", FULL)
def test_a_job_that_meets_a_full_disk_again_and_again_is_never_put_aside(shops: Any, errand: Any, where: str) -> None:
    job = errand(shops(1)[0])
    met = [_meet(job, FULL[where]).status for _ in range(5)]
    assert met == ["queued"] * 5
    assert (job.losses, job.error_code, job.token) == (0, "", 5)
    assert job.queued_at > timezone.now() and claim_next("light", "test") is None


def test_a_database_that_is_away_is_still_a_loss(shops: Any, errand: Any) -> None:
    job = _meet(errand(shops(1)[0]), _database_full(sqlstate="57P01"))
    assert (job.status, job.losses) == ("queued", 1)


def test_a_cancelled_job_does_not_wait_for_room(shops: Any, errand: Any, lines: Any) -> None:
    job = errand(shops(1)[0])
    type(job).objects.filter(pk=job.pk).update(queued_at=Now())
    work = claim_next("light", "test")
    assert work is not None

    def run(_work: Any) -> None:
        cancel(job)
        raise FULL["disk"]

    carry_out(work, run)
    job.refresh_from_db()
    assert job.status == "cancelled" and lines(job) == ["ended cancelled"]
