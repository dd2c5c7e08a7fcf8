"""Webhooks out: what happened is written down with what made it happen; the courier carries it (docs/webhooks.md)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from accounts.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts.scoping import merchant_scope

TYPES = (
    "shoot.succeeded",
    "shoot.failed",
    "shoot.cancelled",
    "batch.finished",
    "picture.rejected",
    "export.succeeded",
)


def emit(*, merchant_id: UUID, type: str, subject_id: UUID, data: dict[str, Any], round: int = 0) -> None:
    """Write an event and its deliveries, in the caller's transaction: told if and only if it happened, and once.

    Args:
        type: one of ``TYPES``.
        subject_id: the shoot, batch, picture or export.
        data: JSON for the receiver; ids and states, never an address of a file that would outlive its five minutes.
        round: what tells two ends of one job apart: its token.
    """
    with merchant_scope(merchant_id):
        event, new = WebhookEvent.objects.get_or_create(
            subject_id=subject_id, type=type, round=round, defaults={"merchant_id": merchant_id, "payload": data}
        )
        wanting = [row for row in WebhookEndpoint.objects.filter(enabled=True) if not row.events or type in row.events]
        if new:
            WebhookDelivery.objects.bulk_create(
                WebhookDelivery(merchant_id=merchant_id, event=event, endpoint=row, due_at=Now()) for row in wanting
            )
