"""Each month's credits come once, up to what may be saved; a plan's limits bind at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Merchant, Plan
from accounts.services import credits, plans
from accounts.services.merchants import open_merchant
from tests.cast import Cast
from tests.credits.conftest import balance_of, entries, leave, new_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def month(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the calendar to the first of a month of 2027."""

    def set_to(number: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: datetime(2027, number, 1, 0, 5, tzinfo=UTC))

    return set_to


def test_an_installation_starts_with_three_plans_and_keeps_what_staff_made_of_them() -> None:
    assert list(Plan.objects.order_by("position").values_list("name", "monthly_credits", "is_default")) == [
        ("free", 100, True), ("studio", 1_000, False), ("business", 10_000, False),
    ]  # fmt: skip
    Plan.objects.exclude(name="studio").delete()
    assert plans.seed_plans() == 0 and plans.default_plan().name == "studio"
    Plan.objects.all().delete()
    assert plans.default_plan().name == "free"


def test_each_month_comes_once_and_never_above_what_may_be_saved(shop: Any, month: Any) -> None:
    month(1)
    credits.account(shop.pk)
    assert credits.top_up_due() == 0, "the first month came with the account"
    for number, expected in ((2, 200), (3, 300), (4, 300)):
        month(number)
        assert (credits.top_up_due(), credits.top_up_due()) == (1, 0)
        assert balance_of(shop) == (expected, 0)
    assert [change for _kind, change, _held in entries(shop)] == [100, 100, 100, 0]


def test_what_is_reserved_counts_as_saved(shop: Any, month: Any) -> None:
    month(1)
    leave(shop, 290)
    credits.hold(merchant_id=shop.pk, job_id=new_job(), amount=280)
    month(2)
    credits.top_up_due()
    assert balance_of(shop) == (20, 280)


def test_a_suspended_shop_gets_its_month_when_it_is_open_again(shop: Any, month: Any) -> None:
    month(1)
    credits.account(shop.pk)
    month(2)
    Merchant.objects.filter(pk=shop.pk).update(status="suspended")
    assert credits.top_up_due() == 0
    Merchant.objects.filter(pk=shop.pk).update(status="active")
    assert credits.top_up_due() == 1


def test_a_larger_plan_gives_its_limits_and_the_rest_of_the_month_once(shop: Any) -> None:
    credits.account(shop.pk)
    for name in ("studio", "free", "studio"):
        credits.change_plan(merchant_id=shop.pk, plan=Plan.objects.get(name=name), by=None)
    shop.refresh_from_db()
    studio = Plan.objects.get(name="studio")
    assert (shop.plan, shop.concurrency, shop.quota_bytes) == (studio, studio.concurrency, studio.quota_bytes)
    assert balance_of(shop) == (1_000, 0), "going back and forth gives nothing twice"


def test_an_edited_plan_binds_those_who_are_on_it(shop: Any) -> None:
    other = Merchant.objects.create(name="Other", plan=Plan.objects.get(name="studio"), concurrency=4)
    free = plans.default_plan()
    free.concurrency = 7
    free.save()
    assert plans.spread_limits(free) == 1
    shop.refresh_from_db(), other.refresh_from_db()
    assert (shop.concurrency, other.concurrency) == (7, 4)


def test_a_new_shop_starts_with_the_default_plans_limits_and_credits(cast: Cast) -> None:
    Plan.objects.filter(is_default=True).update(concurrency=3, monthly_credits=40)
    merchant = open_merchant(owner=cast.alice, name="Second")
    assert merchant.concurrency == 3 and balance_of(merchant) == (40, 0)


def test_the_page_is_told_balance_spending_and_the_next_month(shop: Any, month: Any) -> None:
    job, other = new_job(), new_job()
    month(12)
    credits.hold_many(merchant_id=shop.pk, jobs=[(job, 9), (other, 4)])
    credits.settle(merchant_id=shop.pk, job_id=job, paid=7)
    found = credits.summary(shop)
    assert (found.available, found.held, found.plan.name) == (89, 4, "free")
    assert found.next_top_up == date(2028, 1, 1)
    assert credits.spent_since(shop.pk, datetime(2020, 1, 1, tzinfo=UTC)) == 7
    month(1)
    assert credits.spent_since(shop.pk, datetime(2100, 1, 1, tzinfo=UTC)) == 0
