"""How a try went is written down, and what follows from it: the end, another try, or an endpoint switched off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.scoping import merchant_scope
from accounts.services.webhooks import schedule
from accounts.services.webhooks.events import TEST
from accounts.services.webhooks.notices import DISABLED, LOST, Notice
from accounts.services.webhooks.sending import Outcome, Parcel
from imodel_site.lib.jobs.transitions import in_seconds

GONE, FAILING, BY_HAND = "gone", "failing", "by_hand"
NOTHING_ARRIVED = timedelta(hours=23)  # a delivery was given up, and so was every other one of its day
FAILING_TOO_LONG = timedelta(days=3)
_Status = WebhookDelivery.Status


def record(parcel: Parcel, outcome: Outcome) -> Notice | None:
    """Write down one try, in one transaction.

    Nothing is written when the lease was lost meanwhile (another machine tries, or has tried), or when the delivery was
    ended or removed: the token says so.

    Returns:
        What the owners are to be told, if anything; telling is the caller's, for a mail server can be slow.
    """
    with merchant_scope(parcel.merchant_id), transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=parcel.endpoint_id).first()
        row = _still_ours(parcel) if endpoint is not None else None
        if endpoint is None or row is None:
            return None
        _note(row, outcome)
        if not outcome.delivered:
            return _failed(row, endpoint, outcome)
        _delivered(row, endpoint, outcome)
        return None


def _still_ours(parcel: Parcel) -> WebhookDelivery | None:
    ours = WebhookDelivery.objects.filter(pk=parcel.delivery_id, token=parcel.token, status=_Status.WAITING)
    found: WebhookDelivery | None = ours.select_for_update(of=("self",), no_key=True).select_related("event").first()
    return found


def _note(row: WebhookDelivery, outcome: Outcome) -> None:
    WebhookAttempt.objects.create(
        merchant_id=row.merchant_id,
        delivery=row,
        number=row.token,
        status_code=outcome.status,
        error_code=outcome.error_code,
        milliseconds=outcome.milliseconds,
    )


def _delivered(row: WebhookDelivery, endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    _move(row, status=_Status.DELIVERED, ended_at=Now())
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        failing_since=None, rest_until=None, last_milliseconds=outcome.milliseconds
    )


def _failed(row: WebhookDelivery, endpoint: WebhookEndpoint, outcome: Outcome) -> Notice | None:
    """1. The endpoint fails from now on. 2. This delivery waits or ends. 3. The endpoint may be switched off."""
    _mark_failing(endpoint, outcome)
    test = row.event.type == TEST
    next_try = None if test or not endpoint.enabled or outcome.gone else _next(row, outcome)
    if next_try is None:
        _move(row, status=_Status.FAILED, ended_at=Now())
    else:
        place, seconds = next_try
        _move(row, attempts=place, due_at=in_seconds(seconds))
    return _consequence(endpoint, gone=outcome.gone, given_up=next_try is None and not test)


def _next(row: WebhookDelivery, outcome: Outcome) -> tuple[int, float] | None:
    return schedule.following(row.attempts, retry_after=outcome.retry_after)


def _mark_failing(endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    """Retry-After speaks for the whole endpoint, within a day."""
    fields: dict[str, Any] = {"last_milliseconds": outcome.milliseconds}
    if endpoint.failing_since is None:
        fields["failing_since"] = Now()
    if outcome.retry_after:
        fields["rest_until"] = in_seconds(min(outcome.retry_after, schedule.TRIES[-1]))
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)


def _consequence(endpoint: WebhookEndpoint, *, gone: bool, given_up: bool) -> Notice | None:
    if not endpoint.enabled:
        return None
    if gone:
        switch_off(endpoint=endpoint, reason=GONE)
        return Notice(DISABLED, endpoint.merchant_id, endpoint.pk)
    failing = timezone.now() - endpoint.failing_since if endpoint.failing_since else timedelta(0)
    if failing >= FAILING_TOO_LONG or (given_up and failing >= NOTHING_ARRIVED):
        switch_off(endpoint=endpoint, reason=FAILING)
        return Notice(DISABLED, endpoint.merchant_id, endpoint.pk)
    return Notice(LOST, endpoint.merchant_id, endpoint.pk) if given_up else None


def switch_off(*, endpoint: WebhookEndpoint, reason: str) -> None:
    """No further events; what waits ends as failed, to be sent again by hand. What is in flight says so itself."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(enabled=False, disabled_reason=reason)
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, status=_Status.WAITING)
    idle = waiting.filter(Q(lease_until=None) | Q(lease_until__lte=Now()))
    idle.update(status=_Status.FAILED, ended_at=Now(), lease_until=None)


def _move(row: WebhookDelivery, **fields: Any) -> None:
    fields.setdefault("attempts", F("attempts") + 1)
    WebhookDelivery.objects.filter(pk=row.pk).update(lease_until=None, **fields)
