"""Whose turn it is: who answers never waits for who does not, and nobody is served twice while others wait
(docs/webhooks.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now

from accounts.models import Merchant, WebhookDelivery, WebhookEndpoint
from accounts.scoping import unscoped
from accounts.services.webhooks.events import body_of
from accounts.services.webhooks.sending import Parcel
from imodel_site.lib.jobs.transitions import in_seconds

LEASE = 30.0  # seconds; a try takes ten at most, so one that is not recorded by then was lost with its machine
AT_ONCE = 2  # tries of one endpoint, over all machines
AT_ONCE_FAILING = 1
QUICK_MILLISECONDS = 1000
QUICK, SLOW, REFUSING, STUCK, FRESH = KINDS = ("quick", "slow", "refusing", "stuck", "fresh")
_WAITING = Q(status=WebhookDelivery.Status.WAITING)


def claim(room: Mapping[str, int]) -> list[Parcel]:
    """Lease the next deliveries, one of each endpoint at most.

    Endpoint rows are locked first (``SKIP LOCKED``), and only then is it counted what is in flight: two couriers never
    count the same endpoint at once, so the limits hold over all machines, and neither waits for the other.

    Args:
        room: how many of endpoints of each kind: ``quick`` answered well within a second the last time, ``slow`` took
            longer; ``refusing`` failed within a second, ``stuck`` took longer; ``fresh`` were never tried.
    """
    with unscoped("webhooks: whose turn it is"):
        # Without a lock: mostly there is nothing.
        due = set(_with_due().order_by().values_list("kind", flat=True).distinct())
        wanted = {kind: most for kind, most in room.items() if kind in due and most > 0}
        if not wanted:
            return []
        with transaction.atomic():
            chosen = {identity: kind for kind, most in wanted.items() for identity in _lock(kind, most)}
            return _take(chosen)


def _with_due() -> Any:
    """Endpoints that something is due for and that have room; nothing is sent for a merchant that is not active."""
    active = Merchant.objects.filter(status=Merchant.Status.ACTIVE).values("pk")
    rested = Q(rest_until=None) | Q(rest_until__lte=Now())
    rows = WebhookEndpoint.objects.filter(rested, enabled=True, merchant_id__in=active)
    counted = rows.filter(Exists(_due())).annotate(flying=_flying(), room=_room(), kind=_kind())
    return counted.filter(flying__lt=F("room"))


def _due() -> Any:
    return WebhookDelivery.objects.filter(_WAITING, ~_in_flight(), endpoint=OuterRef("pk"), due_at__lte=Now())


def _in_flight() -> Q:
    """A lease far in the future was written before the clock was put back: it is over."""
    return Q(lease_until__isnull=False, lease_until__gt=Now(), lease_until__lt=in_seconds(2 * LEASE))


def _flying() -> Any:
    leased = WebhookDelivery.objects.filter(_in_flight(), endpoint=OuterRef("pk")).order_by().values("endpoint")
    return Coalesce(Subquery(leased.annotate(count=Count("pk")).values("count")), 0)


def _room() -> Any:
    return Case(When(failing_since=None, then=Value(AT_ONCE)), default=Value(AT_ONCE_FAILING))


def _kind() -> Any:
    return Case(
        When(last_milliseconds=None, then=Value(FRESH)),
        When(failing_since=None, last_milliseconds__lte=QUICK_MILLISECONDS, then=Value(QUICK)),
        When(failing_since=None, then=Value(SLOW)),
        When(last_milliseconds__lte=QUICK_MILLISECONDS, then=Value(REFUSING)),
        default=Value(STUCK),
    )


def _lock(kind: str, most: int) -> list[UUID]:
    """Endpoints that nobody else is deciding on, fewest in flight and longest not served first."""
    rows = _with_due().filter(kind=kind).order_by("flying", F("tried_at").asc(nulls_first=True), "pk")
    return [row.pk for row in rows.select_for_update(skip_locked=True, no_key=True)[:most]]


def _take(chosen: dict[UUID, str]) -> list[Parcel]:
    """Counted anew, now that the rows are ours: what was read before the lock may be stale."""
    first = Subquery(_due().order_by("due_at", "pk").values("pk")[:1])
    fresh = _with_due().filter(pk__in=chosen).annotate(next=first)
    due = dict(fresh.values_list("next", "pk"))
    WebhookDelivery.objects.filter(pk__in=due).update(lease_until=in_seconds(LEASE), token=F("token") + 1)
    WebhookEndpoint.objects.filter(pk__in=due.values()).update(tried_at=Now())
    taken = WebhookDelivery.objects.filter(pk__in=due).select_related("event", "endpoint")
    return [_parcel(row, kind=chosen[row.endpoint_id]) for row in taken]


def _parcel(row: WebhookDelivery, *, kind: str) -> Parcel:
    return Parcel(
        delivery_id=row.pk,
        token=row.token,
        merchant_id=row.merchant_id,
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        url=row.endpoint.url,
        body=body_of(row.event),
        secrets=row.endpoint.secrets,
        kind=kind,
    )
