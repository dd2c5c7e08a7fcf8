"""What follows when a shoot ends, in the transaction that ends it, whoever brought it about."""

from __future__ import annotations

from django.db.models import Sum

from accounts.services import credits, webhooks
from generation.models import Shoot
from generation.services import batches
from imodel_site.lib.jobs.model import Status


def shoot_ended(shoot: Shoot) -> None:
    """Tell the shop's programs, let its batch know, and settle what was reserved."""
    webhooks.emit(
        merchant_id=shoot.merchant_id,
        type=f"shoot.{shoot.status}",
        subject_id=shoot.pk,
        round=shoot.token,
        data={"id": str(shoot.pk), "status": shoot.status},
    )
    if shoot.batch_id is not None:
        batches.shoot_ended(shoot)
    # Last: the merchant's account is the row that all of its shoots meet at (docs/credits.md).
    credits.settle(merchant_id=shoot.merchant_id, job_id=shoot.pk, paid=_cost(shoot))


def _cost(shoot: Shoot) -> int:
    """What its pictures cost together; a shoot that failed or was cancelled has none."""
    if shoot.status != Status.SUCCEEDED:
        return 0
    return int(shoot.pictures.aggregate(sum=Sum("cost"))["sum"] or 0)
