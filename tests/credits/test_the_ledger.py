"""The ledger: what a movement does to the account, and what it never does."""

from __future__ import annotations

import random
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import CreditAccount, LedgerEntry, Merchant, User
from accounts.scoping import merchant_scope, unscoped
from accounts.services import credits
from imodel_site.doctor import money
from imodel_site.lib.errors import Refused
from tests.credits.conftest import balance_of, entries, leave, new_job, sums_of

pytestmark = pytest.mark.django_db


def test_the_first_look_opens_the_account_with_the_months_credits_and_the_second_finds_it(shop: Any) -> None:
    assert credits.account(shop.pk).available == 100 == credits.account(shop.pk).available
    assert entries(shop) == [("monthly", 100, 0)]


def test_a_balance_is_told_without_opening_an_account(shop: Any) -> None:
    assert credits.balance(shop) == 100
    with unscoped("test"):
        assert not CreditAccount.objects.exists()
    leave(shop, 7)
    assert credits.balance(shop) == 7


def test_a_hold_moves_credits_aside_and_a_settlement_takes_the_price_and_gives_the_rest_back(shop: Any) -> None:
    job = new_job()
    credits.hold(merchant_id=shop.pk, job_id=job, amount=6)
    assert balance_of(shop) == (94, 6)
    credits.settle(merchant_id=shop.pk, job_id=job, paid=4)
    assert balance_of(shop) == (96, 0)
    assert entries(shop, job) == [("hold", -6, 6), ("capture", 0, -4), ("release", 2, -2)]


@pytest.mark.parametrize(("paid", "ends"), [(6, ["capture"]), (0, ["release"])])
def test_nothing_is_written_for_a_part_of_nothing(shop: Any, paid: int, ends: list[str]) -> None:
    job = new_job()
    credits.hold(merchant_id=shop.pk, job_id=job, amount=6)
    credits.settle(merchant_id=shop.pk, job_id=job, paid=paid)
    assert [kind for kind, _available, _held in entries(shop, job)] == ["hold", *ends]
    assert balance_of(shop) == (100 - paid, 0)


def test_a_settlement_is_made_once_and_takes_no_more_than_was_reserved(shop: Any) -> None:
    job = new_job()
    credits.hold(merchant_id=shop.pk, job_id=job, amount=3)
    for _time in range(3):
        credits.settle(merchant_id=shop.pk, job_id=job, paid=50)
    assert balance_of(shop) == (97, 0) and len(entries(shop, job)) == 2


def test_what_was_never_held_is_not_settled(shop: Any) -> None:
    credits.settle(merchant_id=shop.pk, job_id=new_job(), paid=5)
    assert credits.balance(shop) == 100


def test_a_job_that_holds_is_not_held_for_again_but_after_its_end_in_a_new_round(shop: Any) -> None:
    job = new_job()
    credits.hold(merchant_id=shop.pk, job_id=job, amount=5)
    credits.hold(merchant_id=shop.pk, job_id=job, amount=5)
    assert balance_of(shop) == (95, 5)
    credits.settle(merchant_id=shop.pk, job_id=job, paid=0)
    credits.hold(merchant_id=shop.pk, job_id=job, amount=5)
    credits.settle(merchant_id=shop.pk, job_id=job, paid=5)
    with merchant_scope(shop):
        assert list(LedgerEntry.objects.filter(job_id=job).order_by("id").values_list("kind", "round")) == [
            ("hold", 0), ("release", 0), ("hold", 1), ("capture", 1),
        ]  # fmt: skip
    assert balance_of(shop) == (95, 0)


def test_a_hold_that_the_balance_does_not_reach_says_price_and_balance_and_leaves_nothing(shop: Any) -> None:
    leave(shop, 4)
    with pytest.raises(Refused) as caught:
        credits.hold(merchant_id=shop.pk, job_id=new_job(), amount=5)
    assert (caught.value.code, caught.value.status) == ("credits_short", 402)
    assert "5 credits" in str(caught.value.message) and "you have 4" in str(caught.value.message)
    assert balance_of(shop) == (4, 0) == sums_of(shop)


def test_many_holds_are_all_or_none(shop: Any) -> None:
    jobs = [(new_job(), 2) for _ in range(51)]
    with pytest.raises(Refused):
        credits.hold_many(merchant_id=shop.pk, jobs=jobs)
    assert balance_of(shop) == (100, 0)
    credits.hold_many(merchant_id=shop.pk, jobs=jobs[:50])
    assert balance_of(shop) == (0, 100) == sums_of(shop)
    with merchant_scope(shop):
        after = list(LedgerEntry.objects.filter(kind="hold").order_by("id").values_list("available_after", flat=True))
    assert after == list(range(98, -1, -2)), "each entry says the balance after it, in the order of the ids"


def test_a_thousand_holds_take_a_few_statements(shop: Any, django_assert_max_num_queries: Any) -> None:
    leave(shop, 1_000)
    with django_assert_max_num_queries(25):  # SQLite takes a large INSERT in pieces
        credits.hold_many(merchant_id=shop.pk, jobs=[(new_job(), 1) for _ in range(1_000)])
    assert balance_of(shop) == (0, 1_000)


def test_many_jobs_give_back_what_they_hold_in_a_few_statements(shop: Any, django_assert_max_num_queries: Any) -> None:
    jobs = [new_job() for _ in range(40)]
    credits.hold_many(merchant_id=shop.pk, jobs=[(job, 2) for job in jobs])
    credits.settle(merchant_id=shop.pk, job_id=jobs[0], paid=2)
    with django_assert_max_num_queries(8):
        credits.release_many(merchant_id=shop.pk, job_ids=[*jobs, new_job()])
    credits.release_many(merchant_id=shop.pk, job_ids=jobs)
    assert balance_of(shop) == (98, 0) == sums_of(shop)


def test_a_negative_price_is_a_bug(shop: Any) -> None:
    with pytest.raises(ValueError, match="never negative"):
        credits.hold(merchant_id=shop.pk, job_id=new_job(), amount=-1)


def test_staff_give_and_take_but_never_below_zero(shop: Any) -> None:
    staff = User.objects.create_user("staff@example.com", is_staff=True)
    row = credits.grant(merchant_id=shop.pk, amount=25, by=staff, note="for the outage")
    assert (row.kind, row.by, row.note, row.available_after) == ("grant", staff, "for the outage", 125)
    credits.grant(merchant_id=shop.pk, amount=-125, by=staff, note="a mistake")
    for amount, code in ((-1, "grant_below_zero"), (0, "amount_zero")):
        with pytest.raises(Refused) as caught:
            credits.grant(merchant_id=shop.pk, amount=amount, by=staff, note="")
        assert caught.value.code == code
    assert balance_of(shop) == (0, 0) == sums_of(shop)


def test_what_is_reserved_can_not_be_taken_by_staff(shop: Any) -> None:
    credits.hold(merchant_id=shop.pk, job_id=new_job(), amount=60)
    with pytest.raises(Refused):
        credits.grant(merchant_id=shop.pk, amount=-41, by=None, note="")
    assert balance_of(shop) == (40, 60)


@pytest.mark.parametrize("change", [{"available_change": 1_000}, {"note": "other"}, {"kind": "grant"}])
def test_an_entry_is_never_changed(shop: Any, change: dict[str, Any]) -> None:
    staff = User.objects.create_user("staff@example.com", is_staff=True)
    credits.grant(merchant_id=shop.pk, amount=5, by=staff, note="once")
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), merchant_scope(shop):
        LedgerEntry.objects.filter(kind="grant").update(**change)


def test_postgresql_lets_no_entry_go_but_with_its_merchant(shop: Any) -> None:
    """SQLite can not tell the two apart, and lets them go (accounts/migrations/0004)."""
    credits.account(shop.pk)
    guarded = connection.vendor == "postgresql"
    refusal = pytest.raises(DatabaseError, match="never changed") if guarded else nullcontext()
    with refusal, transaction.atomic(), merchant_scope(shop):
        LedgerEntry.objects.all().delete()
    Merchant.objects.filter(pk=shop.pk).update(status="closing")
    with merchant_scope(shop):
        LedgerEntry.objects.all().delete()
        assert not LedgerEntry.objects.exists()


def test_the_database_itself_refuses_a_negative_balance(shop: Any) -> None:
    credits.account(shop.pk)
    with pytest.raises(DatabaseError), transaction.atomic(), merchant_scope(shop):
        CreditAccount.objects.update(available=-1)


def test_the_doctor_finds_an_account_that_somebody_changed_by_hand(shop: Any) -> None:
    other = Merchant.objects.create(name="Other")
    for merchant in (shop, other):
        credits.hold(merchant_id=merchant.pk, job_id=new_job(), amount=8)
    assert [finding.level for finding in money.ledgers()] == ["ok"]
    with merchant_scope(other):
        CreditAccount.objects.update(held=0)
    assert credits.unbalanced() == [other.pk]
    assert [(finding.level, str(other.pk) in finding.says) for finding in money.ledgers()] == [("bad", True)]


def test_whatever_happens_in_whatever_order_the_ledger_is_the_account(shop: Any) -> None:
    """500 random movements of 12 jobs; what they should leave is kept beside them by the plainest arithmetic."""
    chance, available = random.Random(20261123), credits.account(shop.pk).available
    jobs, held = [new_job() for _ in range(12)], {}
    for _step in range(500):
        job, amount = chance.choice(jobs), chance.randint(1, 30)
        match chance.choice(("hold", "settle", "grant")):
            case "hold":
                wanted = 0 if job in held else amount
                try:
                    credits.hold(merchant_id=shop.pk, job_id=job, amount=amount)
                    held.setdefault(job, amount)
                    available -= wanted
                    assert available >= 0, "a hold went through that could not be paid for"
                except Refused:
                    assert wanted > available
            case "settle":
                credits.settle(merchant_id=shop.pk, job_id=job, paid=amount)
                reserved = held.pop(job, 0)
                available += reserved - min(amount, reserved)
            case _:
                credits.grant(merchant_id=shop.pk, amount=amount, by=None, note="")
                available += amount
        assert balance_of(shop) == (available, sum(held.values())) == sums_of(shop)
