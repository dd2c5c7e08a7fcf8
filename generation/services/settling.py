"""What follows when a shoot ends, in the transaction that ends it, whoever brought it about."""

from __future__ import annotations

from accounts.services import webhooks
from generation.models import Shoot
from generation.services import batches


def shoot_ended(shoot: Shoot) -> None:
    """Settle what was reserved, tell the shop's programs, and let its batch know."""
    webhooks.emit(
        merchant_id=shoot.merchant_id,
        type=f"shoot.{shoot.status}",
        subject_id=shoot.pk,
        round=shoot.token,
        data={"id": str(shoot.pk), "status": shoot.status},
    )
    if shoot.batch_id is not None:
        batches.shoot_ended(shoot)
