"""RateLimit-* on every answer, by key and by member, as the merchant's plan says."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Merchant, Plan
from tests.api.conftest import Program, error_of, program_of
from tests.generation.conftest import House

pytestmark = pytest.mark.django_db
NOW = 1_000_000_020.0


@pytest.fixture(autouse=True)
def plan(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three calls a minute, in a minute that does not end."""
    monkeypatch.setattr("accounts.throttling.time.time", lambda: NOW)
    found = Plan.objects.create(name="tiny", title="Tiny", calls_per_minute=3)
    Merchant.objects.filter(pk=house.merchant.pk).update(plan=found)
    return found


def limits(answer: Any) -> tuple[int, ...]:
    return tuple(int(answer[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))


def test_each_answer_counts_down_and_the_fourth_waits(shop: Program) -> None:
    answers = [shop.get("me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [limits(answer) for answer in answers] == [(3, 2, 60), (3, 1, 60), (3, 0, 60), (3, 0, 60)]
    assert {answer["RateLimit-Policy"] for answer in answers} == {"3;w=60"}
    assert error_of(answers[3])["code"] == "too_many_requests" and error_of(answers[3])["retryable"]
    assert answers[3]["Retry-After"] == "60"


def test_the_next_minute_begins_anew(shop: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        shop.get("me")
    monkeypatch.setattr("accounts.throttling.time.time", lambda: NOW + 60)
    assert limits(shop.get("me")) == (3, 2, 60)


@pytest.mark.parametrize("path, status", [("nowhere", 404), ("garments/x", 404), ("garments?page_size=0", 400)])
def test_refusals_count_and_say_it_too(shop: Program, path: str, status: int) -> None:
    answer = shop.get(path)
    assert (answer.status_code, limits(answer)) == (status, (3, 2, 60))


def test_one_key_does_not_slow_another_one_down(shop: Program, house: House, cast: Any) -> None:
    for _ in range(4):
        shop.get("me")
    assert program_of(house.merchant, cast.alice).get("me").status_code == 200


def test_a_signed_in_member_has_a_limit_of_their_own(shop: Program, cast: Any) -> None:
    browser = Client()
    browser.force_login(cast.bob)
    assert limits(browser.get("/api/v1/me")) == (3, 2, 60)
    assert "RateLimit-Limit" not in browser.get("/pictures/").headers, "pages are no calls"


def test_a_stranger_is_refused_without_being_counted() -> None:
    answer = Client().get("/api/v1/me")
    assert answer.status_code == 401 and "RateLimit-Limit" not in answer.headers
    assert not [key for key in getattr(cache, "_cache", {}) if "api-calls" in key]


def test_without_a_plan_the_sites_limit_holds(shop: Program, house: House, settings: Any) -> None:
    Merchant.objects.filter(pk=house.merchant.pk).update(plan=None)
    settings.API_CALLS_PER_MINUTE = 7
    assert limits(shop.get("me"))[0] == 7
