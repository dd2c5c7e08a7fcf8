"""Sent once more by hand, under the same webhook-id; and events that are too old to be sent are forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts.scoping import unscoped
from accounts.services.webhooks.events import OF_ONE, TEST, deliver, wants
from imodel_site.lib.errors import Conflict

KEPT = timedelta(days=30)
REACH = KEPT - timedelta(days=1)  # of a replay: what is about to be forgotten is not sent any more
MOST = 10_000  # deliveries of one replay
_AT_ONCE = 500  # events forgotten in one transaction


@transaction.atomic
def replay(*, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send it again, now, whether it had arrived or not; its schedule begins anew.

    Raises:
        Conflict: ``webhook_disabled``; ``delivery_waiting`` when it is under way as it is.
    """
    endpoint = _open(delivery.endpoint)
    ended = WebhookDelivery.objects.filter(pk=delivery.pk, endpoint=endpoint).exclude(status="waiting")
    if not _again(ended):
        raise Conflict("delivery_waiting", _("It is on its way already."))
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay_missed(*, endpoint: WebhookEndpoint, since: datetime) -> int:
    """Send all that did not arrive since then: what failed, and what happened while the endpoint was switched off.

    Args:
        since: at most 29 days ago, and not before the endpoint was made; earlier is read as that.

    Returns:
        How many deliveries are due now; at most 10,000 of each of the two kinds, the oldest first.

    Raises:
        Conflict: ``webhook_disabled``.
    """
    row = _open(endpoint)
    start = max(since, timezone.now() - REACH, row.created_at)
    failed = WebhookDelivery.objects.filter(endpoint=row, status="failed", event__created_at__gte=start)
    failed = failed.exclude(event__type=TEST).order_by("pk").values_list("pk", flat=True)
    again = _again(WebhookDelivery.objects.filter(pk__in=list(failed[:MOST])))
    return again + _catch_up(row, start)


def _catch_up(row: WebhookEndpoint, start: datetime) -> int:
    told = WebhookDelivery.objects.filter(event=OuterRef("pk"), endpoint=row)
    events = WebhookEvent.objects.filter(~Exists(told), created_at__gte=start).exclude(type__in=OF_ONE).order_by("pk")
    missed = [event for event in events[:MOST] if wants(row, event.type)]
    deliver(missed, [row.pk])
    return len(missed)


def _open(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Locked, and rested enough: whoever replays says that the other side is ready."""
    row: WebhookEndpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    if not row.enabled:
        raise Conflict("webhook_disabled", _("This webhook is switched off. Switch it on first."))
    WebhookEndpoint.objects.filter(pk=row.pk).update(rest_until=None)
    return row


def _again(rows: Any) -> int:
    return int(rows.update(status="waiting", attempts=0, due_at=Now(), ended_at=None, lease_until=None))


def forget_old() -> int:
    """Remove events of more than 30 days ago, with their deliveries; a periodic. Returns how many events."""
    forgotten = 0
    with unscoped("old webhook events"):
        while old := _oldest():
            WebhookEvent.objects.filter(pk__in=old).delete()
            forgotten += len(old)
    return forgotten


def _oldest() -> list[Any]:
    """Ids sort by time, so this is the start of one index."""
    rows = WebhookEvent.objects.order_by("pk").values_list("pk", "created_at")[:_AT_ONCE]
    limit = timezone.now() - KEPT
    return [identity for identity, made in rows if made < limit]
