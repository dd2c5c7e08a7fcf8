"""Tries over a day, Retry-After, 410, switching off, and what owners are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts.scoping import merchant_scope
from accounts.services.webhooks import outcomes, replays, schedule, sending
from tests.webhooks.conftest import carry, claim, due_now, happened
from tests.webhooks.receiver import receiving, says

pytestmark = pytest.mark.django_db
OFFSETS = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]


@pytest.fixture(autouse=True)
def _mails_go_at_once(monkeypatch: Any) -> None:
    """A test's transaction is never committed."""
    from django.db import transaction

    monkeypatch.setattr(transaction, "on_commit", lambda work, *args, **kwargs: work())


def endpoint_row() -> WebhookEndpoint:
    row: WebhookEndpoint = WebhookEndpoint.objects.get()
    return row


def failing_for(**time: float) -> None:
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(**time))


def at_the_last_place() -> None:
    WebhookDelivery.objects.filter(status="waiting").update(attempts=len(OFFSETS) - 1)


def test_it_is_tried_ten_times_within_a_day_under_one_id(
    cast: Any, endpoint: Any, deliveries: Any, everybody: None
) -> None:
    with receiving(says(500)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        waits = []
        while deliveries()[0].status == "waiting":
            due_now()
            before = timezone.now()
            carry()
            waits.append((deliveries()[0].due_at - before).total_seconds())
        due_now()
        carry()
    assert len(shop.came) == 10 and set(shop.ids) == {str(deliveries()[0].event_id)}
    steps = [later - earlier for earlier, later in zip(OFFSETS, OFFSETS[1:], strict=False)]
    for wait, step in zip(waits, steps, strict=False):
        assert step - 1 <= wait <= step * 1.1 + 5  # the jitter, and what a busy machine takes to write it down
    assert list(WebhookAttempt.objects.values_list("number", flat=True)) == list(range(1, 11))
    assert deliveries()[0].status == "failed"


@pytest.mark.parametrize(
    ("place", "retry_after", "then"),
    [
        (0, None, (1, 5.0)),
        (0, 2.0, (1, 5.0)),  # sooner than ours: ours
        (0, 60.0, (2, 60.0)),
        (1, 3600.0, (4, 3600.0)),
        (4, 10 * 86_400.0, (9, 86_400.0 - 7200.0)),  # never later than the last try
        (8, None, (9, 14_400.0)),
        (9, 5.0, None),
    ],
)
def test_the_schedule_gives_way_to_retry_after_but_not_its_end(place: int, retry_after: Any, then: Any) -> None:
    assert schedule.following(place, retry_after=retry_after, chance=0.0) == then


def test_every_wait_is_stretched_by_a_tenth_at_most() -> None:
    assert schedule.following(1, retry_after=None, chance=1.0) == (2, pytest.approx(295 * 1.1))


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("120", 120, 120), ("0", 0, 0), ("9" * 40, 1e8, 1e9), ("DATE", 100, 120)],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(text: str, least: float, most: float) -> None:
    if text == "DATE":
        text = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    found = sending.seconds_to_wait(text)
    assert found is not None and least <= found <= most


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "٣", "Mon, 99 Foo 2026"])
def test_a_senseless_retry_after_is_none(text: str) -> None:
    assert sending.seconds_to_wait(text) is None


def test_retry_after_holds_for_the_whole_endpoint(cast: Any, endpoint: Any, everybody: None) -> None:
    with receiving(says(503, Retry_After="3600"), says(204)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        happened(cast.atelier)
        carry(most=1)
        carry()
        assert len(shop.came) == 1
        due_now()
        carry()
        carry()
    assert len(shop.came) == 3


def test_410_switches_the_endpoint_off_and_what_waits_is_kept_as_failed(
    cast: Any, endpoint: Any, deliveries: Any, everybody: None
) -> None:
    with receiving(says(410)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        happened(cast.atelier)
        carry(most=1)
        happened(cast.atelier)
        carry()
    assert len(shop.came) == 1
    assert [row.status for row in deliveries()] == ["failed", "failed"]  # and the third was never written
    assert (endpoint_row().enabled, endpoint_row().disabled_reason) == (False, "gone")
    assert [letter.to for letter in mail.outbox] == [["alice@example.com"]]
    assert "410" in mail.outbox[0].body and f"/settings/webhooks/{endpoint_row().pk}" in mail.outbox[0].body


def test_when_nothing_arrived_for_a_day_the_endpoint_is_switched_off(
    cast: Any, endpoint: Any, deliveries: Any, everybody: None
) -> None:
    with receiving(says(500)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        happened(cast.atelier)
        carry()
        at_the_last_place()
        failing_for(hours=24)
        due_now()
        carry()
    assert (endpoint_row().enabled, endpoint_row().disabled_reason) == (False, "failing")
    assert {row.status for row in deliveries()} == {"failed"}
    assert [letter.to for letter in mail.outbox] == [["alice@example.com"]]


def test_one_event_that_is_refused_while_others_arrive_switches_nothing_off(
    cast: Any, endpoint: Any, everybody: None
) -> None:
    with receiving(says(500)) as shop:
        endpoint(shop.url)
        for _ in range(2):
            happened(cast.atelier)
            carry()
            at_the_last_place()
            failing_for(hours=1)
            due_now()
            carry()
    assert endpoint_row().enabled
    assert WebhookDelivery.objects.filter(status="failed").count() == 2
    assert ["missed an event" in letter.subject for letter in mail.outbox] == [True]  # once a day


def test_failing_for_three_days_switches_it_off_though_no_schedule_has_ended(
    cast: Any, endpoint: Any, everybody: None
) -> None:
    with receiving(says(500)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry()
        failing_for(days=3, seconds=1)
        due_now()
        carry()
    assert (endpoint_row().enabled, endpoint_row().disabled_reason) == (False, "failing")


def test_one_success_forgives_everything(cast: Any, endpoint: Any, everybody: None) -> None:
    with receiving(says(500, Retry_After="9"), says(200)) as shop:
        endpoint(shop.url)
        happened(cast.atelier)
        carry()
        assert endpoint_row().failing_since is not None
        due_now()
        carry()
    assert (endpoint_row().failing_since, endpoint_row().rest_until) == (None, None)


def test_what_another_machine_has_claimed_meanwhile_is_not_written_down(
    cast: Any, endpoint: Any, deliveries: Any, everybody: None
) -> None:
    endpoint("http://127.0.0.1:9/")
    happened(cast.atelier)
    (slow,) = claim()
    WebhookDelivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    (fast,) = claim()
    assert (slow.delivery_id, slow.event_id, slow.token + 1) == (fast.delivery_id, fast.event_id, fast.token)
    outcomes.record(slow, sending.Outcome(410))  # while the other one is still trying
    assert (deliveries()[0].status, endpoint_row().enabled) == ("waiting", True)
    outcomes.record(fast, sending.Outcome(204))
    outcomes.record(slow, sending.Outcome(500))
    assert deliveries()[0].status == "delivered"
    assert list(WebhookAttempt.objects.values_list("number", "status_code")) == [(2, 204)]


def test_an_endpoint_that_was_removed_meanwhile_breaks_nothing(cast: Any, endpoint: Any, everybody: None) -> None:
    made = endpoint("http://127.0.0.1:9/")
    happened(cast.atelier)
    (parcel,) = claim()
    with merchant_scope(cast.atelier):
        made.row.delete()
    assert outcomes.record(parcel, sending.Outcome(204)) is None


def test_events_of_a_month_ago_are_forgotten_and_no_others(cast: Any, endpoint: Any, everybody: None) -> None:
    from accounts.services.webhooks import emit
    from imodel_site.lib.ids import uuid7

    endpoint("http://127.0.0.1:9/")
    old = uuid7()
    emit(merchant_id=cast.atelier.pk, type="shoot.failed", subject_id=old, data={})
    WebhookEvent.objects.update(created_at=timezone.now() - timedelta(days=31))
    happened(cast.atelier)
    assert replays.forget_old() == 1
    assert not WebhookEvent.objects.filter(subject_id=old).exists()
    assert (WebhookEvent.objects.count(), WebhookDelivery.objects.count()) == (1, 1)
