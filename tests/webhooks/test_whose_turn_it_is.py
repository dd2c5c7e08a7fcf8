"""Limits for each endpoint, turns among them, and merchants for whom nothing is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Merchant, WebhookDelivery, WebhookEndpoint
from accounts.services.webhooks import outcomes, sending, turns
from imodel_site.worker.courier import POOL, ROOMS, Hands
from tests.webhooks.conftest import claim, happened

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9"


def take_all() -> list[sending.Parcel]:
    """Until nobody has room."""
    found: list[sending.Parcel] = []
    while more := claim():
        found += more
    return found


def known(url: str, **fields: Any) -> None:
    WebhookEndpoint.objects.filter(url=url).update(**fields)


@pytest.fixture
def backlog(cast: Any, endpoint: Any) -> Any:
    """``backlog("a", 5)``: an endpoint with so many events waiting."""

    def make(name: str, count: int) -> str:
        url = f"{NOWHERE}/{name}"
        endpoint(url, "shoot.failed" if name.startswith("f") else "shoot.succeeded")
        for _ in range(count):
            happened(cast.atelier, "shoot.failed" if name.startswith("f") else "shoot.succeeded")
        return url

    return make


def test_two_at_once_and_one_while_it_fails(backlog: Any, everybody: None) -> None:
    url = backlog("a", 5)
    first = take_all()
    assert len(first) == 2
    outcomes.record(first[0], sending.Outcome(500, milliseconds=5))
    assert take_all() == []  # the other one is still on its way
    outcomes.record(first[1], sending.Outcome(500, milliseconds=5))
    assert len(take_all()) == 1
    assert WebhookEndpoint.objects.get(url=url).failing_since is not None


def test_each_endpoint_gets_its_turn_before_anybody_a_second_one(backlog: Any, everybody: None) -> None:
    urls = {backlog(f"f{number}", 2) for number in range(3)} | {backlog("a", 2)}
    first = claim()
    assert {parcel.url for parcel in first} == urls and len(first) == 4
    assert len(claim()) == 4
    assert claim() == []


def test_who_waited_longest_comes_first(backlog: Any, everybody: None) -> None:
    urls = [backlog(f"f{number}", 4) for number in range(4)]
    now = timezone.now()
    for place, url in enumerate(urls):
        known(url, tried_at=now - timedelta(minutes=place), last_milliseconds=5)
    assert [claim(1)[0].url for _ in range(4)] == urls[::-1]


def test_each_kind_is_taken_for_its_own_room(backlog: Any, everybody: None) -> None:
    quick, refusing, slow, stuck, fresh = (backlog(f"f{name}", 3) for name in ("q", "r", "s", "x", "n"))
    known(quick, last_milliseconds=200)
    known(refusing, last_milliseconds=200, failing_since=timezone.now())
    known(slow, last_milliseconds=3000)
    known(stuck, last_milliseconds=10_000, failing_since=timezone.now())
    kinds = {"quick": quick, "refusing": refusing, "slow": slow, "stuck": stuck, "fresh": fresh}
    for kind, url in kinds.items():
        (parcel,) = turns.claim({**dict.fromkeys(turns.KINDS, 0), kind: 9})
        assert (parcel.url, parcel.kind) == (url, kind)


def test_no_kind_can_take_places_from_another() -> None:
    hands = Hands()
    for kind, most in ROOMS.items():
        for _ in range(most):
            assert hands.room()[kind] > 0
            hands.take(sending.Parcel(*[None] * 6, "{}", [], kind=kind))  # type: ignore[arg-type]  # only the kind matters
        assert {name for name, left in hands.room().items() if not left} == set(
            list(ROOMS)[: list(ROOMS).index(kind) + 1]
        )
    assert set(ROOMS) == set(turns.KINDS) and POOL == 16


@pytest.mark.parametrize("status", [Merchant.Status.SUSPENDED, Merchant.Status.CLOSING])
def test_for_a_shop_that_is_not_active_nothing_is_sent_and_nothing_lost(
    cast: Any, backlog: Any, everybody: None, status: str
) -> None:
    backlog("a", 1)
    Merchant.objects.filter(pk=cast.atelier.pk).update(status=status)
    assert take_all() == []
    Merchant.objects.filter(pk=cast.atelier.pk).update(status=Merchant.Status.ACTIVE)
    assert len(take_all()) == 1


def test_what_is_due_later_waits(backlog: Any, everybody: None) -> None:
    backlog("a", 1)
    WebhookDelivery.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert take_all() == []


def test_a_lease_that_is_over_or_was_written_by_a_clock_put_back_is_none(backlog: Any, everybody: None) -> None:
    backlog("a", 1)
    assert (len(claim()), len(claim())) == (1, 0)
    for lease in (timedelta(seconds=-1), timedelta(days=1)):
        WebhookDelivery.objects.update(lease_until=timezone.now() + lease)
        assert len(claim()) == 1
