"""What follows when a run ends, or the shoot that it became, in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from accounts.services import credits
from accounts.services.webhooks import events
from catalog.services.assets import drop_files
from generation.models import FashnRun
from generation.surfaces.fashn import answers
from imodel_site.lib.jobs.model import Status


def run_ended(run: FashnRun) -> None:
    """Settle what it held; what became a shoot holds no more, and is told when that ends."""
    if run.shoot_id is None:
        _tell(run)
    if run.status != Status.SUCCEEDED:
        transaction.on_commit(lambda: drop_files(run.sent))  # nobody will read them any more
    made = run.status == Status.SUCCEEDED and run.shoot_id is None
    # Last: the merchant's account is the row that all of its jobs meet at (docs/credits.md).
    credits.settle(merchant_id=run.merchant_id, job_id=run.pk, paid=run.price if made else 0)


def shoots_ended(shoots: Iterable[UUID]) -> None:
    """Tell of those that were runs."""
    for run in FashnRun.objects.filter(shoot__in=list(shoots), webhook__isnull=False).select_related("shoot"):
        _tell(run)


def _tell(run: FashnRun) -> None:
    """The event holds the state only: what is sent is written when it is sent (answers.webhook_body)."""
    if run.webhook_id is None:
        return
    data = {"id": str(run.pk), "status": answers.state(run), "output": None, "error": None}
    events.emit_to(
        endpoint_id=run.webhook_id, merchant_id=run.merchant_id, type=events.CALL, subject_id=run.pk, data=data
    )
