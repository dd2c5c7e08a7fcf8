"""What follows when a training or a grid ends, in the transaction that ends it, whoever brought it about."""

from __future__ import annotations

from django.db import transaction

from accounts.services import credits, webhooks
from catalog.services.assets import drop_files, give_room_back
from imodel_site.lib.jobs.model import Status
from training import announcing
from training.models import AdapterUpload, Comparison, Training
from training.pricing import cost_of_training

# What programs are told; a training that ends well has finished, as a batch has.
TOLD = {Status.SUCCEEDED: "finished", Status.FAILED: "failed", Status.CANCELLED: "cancelled"}


def training_ended(row: Training) -> None:
    """Tell the shop's programs, and settle what was reserved."""
    webhooks.emit(
        merchant_id=row.merchant_id,
        type=f"training.{TOLD[Status(row.status)]}",
        subject_id=row.pk,
        round=row.token,
        data=announcing.training(row),
    )
    paid = 0
    if row.status == Status.SUCCEEDED:
        paid = cost_of_training(price=row.price, steps_total=row.steps_total, steps_done=row.steps_done)
    # Last: the merchant's account is the row that all of its jobs meet at (docs/credits.md).
    credits.settle(merchant_id=row.merchant_id, job_id=row.pk, paid=paid)


def comparison_ended(row: Comparison) -> None:
    """As :func:`training_ended`."""
    webhooks.emit(
        merchant_id=row.merchant_id,
        type=f"comparison.{TOLD[Status(row.status)]}",
        subject_id=row.pk,
        round=row.token,
        data=announcing.comparison(row),
    )
    credits.settle(merchant_id=row.merchant_id, job_id=row.pk, paid=row.price if row.status == Status.SUCCEEDED else 0)


def upload_ended(row: AdapterUpload) -> None:
    """A file that was not taken is kept for nobody, and takes nobody's room."""
    key = row.key
    if row.status != Status.SUCCEEDED and key:
        AdapterUpload.objects.filter(pk=row.pk).update(key="")
        transaction.on_commit(lambda: drop_files([key]))
        give_room_back(row.merchant_id, row.bytes)
