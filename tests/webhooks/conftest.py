"""Endpoints of the cast, and a courier that is driven step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.scoping import merchant_scope, unscoped
from accounts.services.webhooks import TYPES, emit, endpoints, outcomes, sending, turns
from accounts.services.webhooks.notices import Notice, tell
from imodel_site.lib.fetch import Fetcher
from imodel_site.lib.ids import uuid7


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> Iterator[None]:
    """Receivers on this machine are allowed, as while trying things out; limits start empty."""
    settings.WEBHOOK_HTTP = True
    cache.clear()
    yield


@pytest.fixture
def endpoint(cast: Any) -> Callable[..., endpoints.NewSecret]:
    """``endpoint(url)``: alice's, unless another merchant is said."""

    def make(url: str, *events: str, merchant: Any = None) -> endpoints.NewSecret:
        shop = merchant or cast.atelier
        with merchant_scope(shop):
            return endpoints.add_endpoint(merchant=shop, by=None, url=url, events=events)

    return make


def happened(merchant: Any, type: str = TYPES[0], *, round: int = 1, **data: Any) -> str:
    """Emit; returns the subject's id."""
    subject = uuid7()
    emit(merchant_id=merchant.pk, type=type, subject_id=subject, data={"id": str(subject), **data}, round=round)
    return str(subject)


def claim(most: int = 16) -> list[sending.Parcel]:
    """What a courier would take now."""
    return turns.claim(dict.fromkeys(turns.KINDS, most))


def carry(line: Fetcher | None = None, *, most: int = 16) -> list[Notice]:
    """One round of a courier, one try after the other; mails what is to be mailed."""
    told = []
    for parcel in claim(most):
        notice = outcomes.record(parcel, sending.send(parcel, line or sending.line()))
        if notice is not None and tell(notice):
            told.append(notice)
    return told


def due_now() -> None:
    """What waits for its next try waits no longer."""
    from django.db.models.functions import Now

    with unscoped("test"):
        WebhookDelivery.objects.filter(status="waiting").update(due_at=Now())
        WebhookEndpoint.objects.update(rest_until=None)


@pytest.fixture
def deliveries() -> Callable[[], list[WebhookDelivery]]:
    """All of them, oldest first, with their events."""

    def read() -> list[WebhookDelivery]:
        with unscoped("test"):
            return list(WebhookDelivery.objects.select_related("event", "endpoint").order_by("pk"))

    return read


@pytest.fixture
def everybody() -> Iterator[None]:
    """A scope over all merchants, for reading results."""
    with unscoped("test"):
        yield
