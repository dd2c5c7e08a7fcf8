"""What the web side does with jobs: accept, cancel, retry; and with many of them at once: pause, resume, too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from imodel_site.lib.errors import Refused
from imodel_site.lib.ids import uuid7
from imodel_site.lib.jobs.model import ENDED, Job, Status
from imodel_site.lib.jobs.transitions import advance, advance_many, rows
from imodel_site.lib.jobs.waking import wake

AnyJob = TypeVar("AnyJob", bound=Job)


def enqueue(job: Job) -> None:
    """Save a new job and write its wake-up, both in the caller's transaction."""
    job.status = Status.QUEUED
    job.queued_at = Now()
    with transaction.atomic(savepoint=False):
        job.save(force_insert=True)
        wake(job.lane)
    job.refresh_from_db(fields=["queued_at"])


def enqueue_many(jobs: Sequence[Job]) -> None:
    """Save new jobs of one model, first come first, with wake-ups for all workers of their lane, in the caller's
    transaction.

    Their ids are given anew: ids sort by time, and so many made at once would not come in their order by themselves.
    """
    for job, identity in zip(jobs, sorted(uuid7() for _job in jobs), strict=True):
        job.pk, job.status, job.queued_at = identity, Status.QUEUED, Now()
    if jobs:
        with transaction.atomic(savepoint=False):
            type(jobs[0]).objects.bulk_create(jobs)  # type: ignore[attr-defined]  # MerchantOwned's
            _wake_all(jobs[0].lane)


def _wake_all(lane: str) -> None:
    """A wake-up keeps one worker going until nothing is left."""
    wake(lane, max(1, settings.WORKERS[lane]))


def accept(
    model: type[AnyJob],
    *,
    merchant: object,
    key: str | None,
    request_hash: str,
    make: Callable[[], AnyJob],
) -> tuple[AnyJob, bool]:
    """The job of this idempotency key: a new one, or the one that the same request made before.

    Args:
        model: what ``make`` makes.
        merchant: the merchant, or its id.
        key: as the caller gave it; None always makes a new job.
        request_hash: of everything that the request asks for.
        make: gives the unsaved job; called only when there is none yet.

    Returns:
        The job, and whether it is new: only then are holds and further rows to be written, in the same transaction.

    Raises:
        Refused: ``idempotency_key_reused`` (422): another request came under the same key.
    """
    merchant_id = merchant if isinstance(merchant, UUID) else merchant.pk  # type: ignore[attr-defined]  # a row
    try:
        with transaction.atomic():
            found = _by_key(model, merchant_id, key, request_hash)
            if found is not None:
                return found, False
            job = make()
            job.merchant_id = merchant_id  # type: ignore[attr-defined]  # MerchantOwned's
            job.idempotency_key, job.request_hash = key or None, request_hash
            enqueue(job)
            return job, True
    except IntegrityError:  # a twin was faster; the constraint decides, not our reading
        found = _by_key(model, merchant_id, key, request_hash)
        if found is None:
            raise
        return found, False


def hash_of(*parts: Any) -> str:
    """Of what was asked for, so that one key can not stand for two wishes."""
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _by_key(model: type[AnyJob], merchant_id: UUID, key: str | None, request_hash: str) -> AnyJob | None:
    if not key:
        return None
    found: AnyJob | None = rows(model).filter(merchant_id=merchant_id, idempotency_key=key).first()
    if found is not None and found.request_hash != request_hash:
        raise Refused(
            "idempotency_key_reused",
            _("This idempotency key was used for another request. Send a new key with a new request."),
            status=422,
        )
    return found


def cancel(job: Job) -> None:
    """Waiting: cancelled at once. Running: asked to stop. Ended: nothing. ``job`` is read afresh."""
    with transaction.atomic(savepoint=False):
        # Under its lock, or a job that is paused and resumed all the time would slip away each time.
        found = rows(type(job)).select_for_update(of=("self",)).get(pk=job.pk)
        if found.status in (Status.QUEUED, Status.PAUSED):
            from_ = Status(found.status)
            advance(found, to=Status.CANCELLED, from_=from_, token=found.token, cancel_requested_at=Now())
        elif found.status == Status.RUNNING:
            rows(type(job)).filter(pk=job.pk).update(cancel_requested_at=Coalesce("cancel_requested_at", Now()))
    job.refresh_from_db()


def retry(job: Job) -> bool:
    """A failed or cancelled job waits again, as if new; False when it is in neither status. ``job`` is read afresh."""
    job.refresh_from_db()
    if job.status not in (Status.FAILED, Status.CANCELLED):
        return False
    with transaction.atomic():
        changed = advance(job, to=Status.QUEUED, from_=Status(job.status), token=job.token, queued_at=Now(), **_FRESH)
        if changed:
            wake(job.lane)
    job.refresh_from_db()
    return changed


def pause_many(asked: QuerySet[Any]) -> int:
    """Those that wait are set aside, how many; whoever is running goes on. Once committed, none of them is claimed."""
    return len(advance_many(asked, to=Status.PAUSED, from_=Status.QUEUED))


def resume_many(asked: QuerySet[Any]) -> int:
    """Those that were set aside wait again, in their old places; how many."""
    moved = advance_many(asked, to=Status.QUEUED, from_=Status.PAUSED)
    if moved:
        _wake_all(asked.model.lane)
    return len(moved)


def cancel_many(asked: QuerySet[Any], *, write: Callable[[], object] | None = None) -> int:
    """Those that wait or are paused are cancelled at once, those that run are asked to stop; how many altogether.

    Args:
        asked: rows of one merchant and one model.
        write: further rows, before the first end is told.
    """
    when: dict[str, Any] = {"cancel_requested_at": Now()}
    with transaction.atomic(savepoint=False):
        # All of them are locked first, in the order of their ids: none slips from waiting to running, or back, between
        # the statements, and what ``write`` locks comes after every job.
        list(asked.exclude(status__in=ENDED).order_by("pk").select_for_update(of=("self",)).values_list("pk"))
        count = asked.filter(status=Status.RUNNING).update(cancel_requested_at=Coalesce("cancel_requested_at", Now()))
        count += len(advance_many(asked, to=Status.CANCELLED, from_=Status.PAUSED, write=write, **when))
        count += len(advance_many(asked, to=Status.CANCELLED, from_=Status.QUEUED, **when))
    return count


def retry_many(asked: QuerySet[Any]) -> list[Any]:
    """Those that failed wait again, as if new; which they are."""
    moved = advance_many(asked, to=Status.QUEUED, from_=Status.FAILED, queued_at=Now(), **_FRESH)
    if moved:
        _wake_all(asked.model.lane)
    return moved


_FRESH: dict[str, Any] = {
    "losses": 0,
    "first_loss_at": None,
    "stage": "",
    "fraction": 0.0,
    "progressed_at": None,
    "cancel_requested_at": None,
    "error_code": "",
    "error_message": "",
    "error_retryable": False,
    "finished_at": None,
}
