"""What follows when a shoot ends, in the transaction that ends it, whoever brought it about."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Sum

from accounts.services import credits, webhooks
from generation import announcing
from generation.models import Shoot
from generation.services import batches
from generation.surfaces.fashn import endings as fashn
from imodel_site.lib.jobs.model import Status


def shoot_ended(shoot: Shoot) -> None:
    """Tell the shop's programs, let its batch know, and settle what was reserved."""
    webhooks.emit(
        merchant_id=shoot.merchant_id,
        type=f"shoot.{shoot.status}",
        subject_id=shoot.pk,
        round=shoot.token,
        data=announcing.told(shoot),
    )
    if shoot.batch_id is not None:
        batches.shoots_ended({shoot.batch_id})
    fashn.shoots_ended([shoot.pk])
    # Last: the merchant's account is the row that all of its shoots meet at (docs/credits.md).
    credits.settle(merchant_id=shoot.merchant_id, job_id=shoot.pk, paid=_cost(shoot))


def shoots_cancelled(shoots: Sequence[Shoot]) -> None:
    """As :func:`shoot_ended`, for shoots of one merchant that were cancelled together: they hold, and have no pictures.

    ``order`` and ``timings`` may be deferred.
    """
    merchant_id = shoots[0].merchant_id
    told = {(shoot.pk, shoot.token): announcing.told(shoot) for shoot in shoots}
    webhooks.emit_many(merchant_id=merchant_id, type=f"shoot.{Status.CANCELLED}", told=told)
    batches.shoots_ended({shoot.batch_id for shoot in shoots} - {None})
    fashn.shoots_ended([shoot.pk for shoot in shoots])
    credits.release_many(merchant_id=merchant_id, job_ids=[shoot.pk for shoot in shoots])


def _cost(shoot: Shoot) -> int:
    """What its pictures cost together; a shoot that failed or was cancelled has none."""
    if shoot.status != Status.SUCCEEDED:
        return 0
    return int(shoot.pictures.aggregate(sum=Sum("cost"))["sum"] or 0)
