"""What happened, and the deliveries it is due."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts.scoping import merchant_scope
from imodel_site.lib.errors import Conflict
from imodel_site.lib.ids import uuid7

TYPES = (
    "shoot.succeeded",
    "shoot.failed",
    "shoot.cancelled",
    "batch.finished",
    "picture.rejected",
    "publication.published",
    "publication.withdrawn",
    "export.succeeded",
    "training.finished",
    "training.failed",
    "training.cancelled",
    "comparison.finished",
    "comparison.failed",
    "comparison.cancelled",
    "adapter.promoted",
    "import.finished",
    "import.failed",
    "import.cancelled",
)
TEST = "webhook.test"  # to one endpoint, tried once
CALL = "fashn.run"  # to the address that one call of /v1/run named (docs/fashn.md)
OF_ONE = (TEST, CALL)  # never sent to other endpoints than the one they were made for
# Bodies that are written anew for each try: what they hold ends sooner than an event is kept.
_bodies: dict[str, Callable[[WebhookEvent], str]] = {}


def register_body(type: str, make: Callable[[WebhookEvent], str]) -> None:
    """``make(event)`` gives what is sent for events of this type; the rooms above say so in their ``ready()``."""
    _bodies[type] = make


def emit(*, merchant_id: UUID, type: str, subject_id: UUID, data: dict[str, Any], round: int = 0) -> None:
    """Write an event and its deliveries, in the caller's transaction: told if and only if it happened, and once.

    Args:
        type: one of ``TYPES``.
        subject_id: the shoot, batch, picture or export.
        data: JSON for the receiver; ids and states, never an address of a file that would outlive its five minutes.
        round: what tells two ends of one job apart: its token.
    """
    emit_many(merchant_id=merchant_id, type=type, told={(subject_id, round): data})


def emit_many(*, merchant_id: UUID, type: str, told: Mapping[tuple[UUID, int], dict[str, Any]]) -> None:
    """As :func:`emit`, for many of one merchant and type in a few statements: by subject and round, their data."""
    with merchant_scope(merchant_id):
        written = _write(merchant_id, type, told)
        listening = WebhookEndpoint.objects.filter(enabled=True, of_calls=False) if written else ()
        deliver(written, _kept([row.pk for row in listening if wants(row, type)]))


def emit_to(*, endpoint_id: UUID, merchant_id: UUID, type: str, subject_id: UUID, data: dict[str, Any]) -> None:
    """As :func:`emit`, for one endpoint and nobody else, whatever the others listen to."""
    with merchant_scope(merchant_id):
        written = _write(merchant_id, type, {(subject_id, 0): data})
        deliver(written, _kept([endpoint_id]))


def _write(merchant_id: UUID, type: str, told: Mapping[tuple[UUID, int], dict[str, Any]]) -> list[WebhookEvent]:
    """Those that are new: what was told before under the same subject, type and round is left alone."""
    rows = [
        WebhookEvent(merchant_id=merchant_id, type=type, subject_id=subject, round=round, payload=data)
        for (subject, round), data in told.items()
    ]
    WebhookEvent.objects.bulk_create(rows, ignore_conflicts=True)
    there = set(WebhookEvent.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    return [row for row in rows if row.pk in there]


def wants(endpoint: WebhookEndpoint, type: str) -> bool:
    """Whether an endpoint listens to events of this type."""
    return not endpoint.events or type in endpoint.events


def deliver(events: Sequence[WebhookEvent], endpoints: Sequence[UUID]) -> None:
    """Put each on its way to each of these, due at once."""
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(merchant_id=event.merchant_id, event=event, endpoint_id=endpoint, due_at=Now())
        for event in events
        for endpoint in endpoints
    )


def _kept(endpoints: list[UUID]) -> list[UUID]:
    """Those that are still there, and that nobody can remove before this transaction ends.

    A job that ends must not fail because an endpoint is being removed: the foreign key would say so at its commit. The
    lock is the one that a foreign key takes, so neither other jobs nor the courier wait for it. SQLite needs nothing.
    """
    if connection.vendor != "postgresql" or not endpoints:
        return endpoints
    table = connection.ops.quote_name(WebhookEndpoint._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table} WHERE id = ANY(%s) AND enabled FOR KEY SHARE", [endpoints])
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def send_test(*, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A test event for one endpoint, as real ones are made and signed, but tried only once.

    Raises:
        Conflict: ``webhook_disabled``; ``test_under_way`` while another one waits.
    """
    row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    if not row.enabled:
        raise Conflict("webhook_disabled", _("This webhook is switched off. Switch it on first."))
    if WebhookDelivery.objects.filter(endpoint=row, event__type=TEST, status="waiting").exists():
        raise Conflict("test_under_way", _("A test event is on its way already. Look at it in a moment."))
    event = WebhookEvent.objects.create(
        merchant_id=row.merchant_id, type=TEST, subject_id=uuid7(), payload={"webhook": str(row.pk)}
    )
    deliver([event], [row.pk])
    return WebhookDelivery.objects.get(event=event, endpoint=row)


def body_of(event: WebhookEvent) -> str:
    """What is sent and signed: the same bytes in every try, unless somebody registered for its type."""
    if event.type in _bodies:
        return _bodies[event.type](event)
    made = event.created_at.isoformat().replace("+00:00", "Z")
    told = {"type": event.type, "timestamp": made, "data": event.payload}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
