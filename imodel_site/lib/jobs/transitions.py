"""The one place where a job changes its status: compare-and-set on (pk, status, token), and the count is looked at.

Times are the database's (``Now()``): the clocks of two workers never agree, and a host's clock may jump.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now

from imodel_site.lib.jobs.model import ENDED, Job, Status
from imodel_site.lib.jobs.pace import pace
from imodel_site.lib.jobs.signals import ended, tell_after_commit
from imodel_site.lib.scope import merchant_scope

log = logging.getLogger("imodel.jobs")

# Who makes each of them is written in docs/jobs.md.
LEGAL = frozenset(
    {
        (Status.QUEUED, Status.RUNNING),
        (Status.QUEUED, Status.CANCELLED),
        (Status.QUEUED, Status.PAUSED),
        (Status.PAUSED, Status.QUEUED),
        (Status.PAUSED, Status.CANCELLED),
        (Status.RUNNING, Status.SUCCEEDED),
        (Status.RUNNING, Status.FAILED),
        (Status.RUNNING, Status.CANCELLED),
        (Status.RUNNING, Status.QUEUED),
        (Status.FAILED, Status.QUEUED),
        (Status.CANCELLED, Status.QUEUED),
    }
)


def rows(model: type[Job]) -> models.QuerySet[Any]:
    """A model's rows past its manager: what may be seen is up to the open scope (and PostgreSQL's policies)."""
    return models.QuerySet(model)


def in_seconds(seconds: float) -> Any:
    """That long from now, by the database's clock."""
    return models.ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=models.DateTimeField())


def lease_over() -> models.Q:
    """Running rows whose worker is lost. A lease far in the future was written before the clock was put back."""
    return models.Q(status=Status.RUNNING) & (
        models.Q(lease_until__lt=Now()) | models.Q(lease_until__gt=in_seconds(2 * pace().lease))
    )


def advance(
    job: Job, *, to: Status, from_: Status, token: int, write: Callable[[], object] | None = None, **fields: Any
) -> bool:
    """Move a job, in one transaction with ``write`` and, where it ends, with the model's ``on_ended(job)``.

    Args:
        job: only its class, pk and merchant are used; the row decides.
        to: the status it gets.
        from_: the status it must have.
        token: the token it must have.
        write: further rows, after the status and before ``on_ended``.
        fields: further columns.

    Returns:
        False, and nothing is written, when the row is not, or no longer, in that status under that token.

    Raises:
        ValueError: no job may make this step.
    """
    _refuse_illegal(from_, to)
    with transaction.atomic(savepoint=False):  # a caller that wants to go on after an error has a savepoint of its own
        asked = rows(type(job)).filter(pk=job.pk, status=from_, token=token)
        if not asked.update(**{"status": to, **_stamps(to), **fields}):
            return False
        if write is not None:
            write()
        if to in ENDED:
            _tell_ended(job)
            tell_after_commit(ended, type(job), status=str(to.value), code=str(fields.get("error_code", "")))
    return True


def advance_many(
    asked: models.QuerySet[Any], *, to: Status, from_: Status, write: Callable[[], object] | None = None, **fields: Any
) -> list[Any]:
    """Move all of ``asked`` that are in a status, in one transaction and a few statements.

    The rows are locked in the order of their ids first. Whoever moves one of them meanwhile waits for our commit, and
    then finds it in another status than the one that it wanted to move it from.

    Args:
        asked: rows of one merchant and one model; columns that nobody needs may be deferred.
        to, from_, fields: as for :func:`advance`.
        write: further rows, after the statuses and before the ends are told; called even when nothing was moved.

    Returns:
        The jobs that were moved, ``status`` as it is now.

    Raises:
        ValueError: no job may make this step.
    """
    _refuse_illegal(from_, to)
    with transaction.atomic(savepoint=False):
        moved = list(asked.filter(status=from_).order_by("pk").select_for_update(of=("self",)))
        model: Any = asked.model
        rows(model).filter(pk__in=[job.pk for job in moved]).update(**{"status": to, **_stamps(to), **fields})
        for job in moved:
            job.status = to
        if write is not None:
            write()
        if to in ENDED:
            _tell_many_ended(model, moved)
    return moved


def _refuse_illegal(from_: Status, to: Status) -> None:
    if (from_, to) not in LEGAL:
        raise ValueError(f"no job goes from {from_} to {to}")


def _stamps(to: Status) -> dict[str, Any]:
    if to == Status.RUNNING:
        return {"token": models.F("token") + 1, "started_at": Now(), "lease_until": in_seconds(pace().lease)}
    gone = {"lease_until": None, "worker": ""}
    return {**gone, "finished_at": Now(), "stage": ""} if to in ENDED else gone


def _tell_ended(job: Job) -> None:
    """``on_ended`` may be a method or a classmethod; it runs once for each end, whoever brought it about."""
    hook = getattr(type(job), "on_ended", None)
    if hook is None:
        return
    merchant_id = job.merchant_id  # type: ignore[attr-defined]  # MerchantOwned's, which lib may not import
    with merchant_scope(merchant_id):
        hook(rows(type(job)).get(pk=job.pk))


def _tell_many_ended(model: Any, moved: list[Any]) -> None:
    """``on_ended_many(jobs)`` where a model has it, for it can write in bulk; else one after the other."""
    hook = getattr(model, "on_ended_many", None)
    if hook is None:
        for job in moved:
            _tell_ended(job)
    elif moved:
        with merchant_scope(moved[0].merchant_id):
            hook(moved)
