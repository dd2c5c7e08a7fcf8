"""Shops with credits, and a look at whether account and ledger say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db.models import Sum

from accounts.models import CreditAccount, LedgerEntry, Merchant
from accounts.scoping import merchant_scope, unscoped
from accounts.services import credits
from tests.generation.conftest import alice, executor, house, library, neighbour  # noqa: F401  # fixtures


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """No limit or preview of another test."""
    cache.clear()
    yield


@pytest.fixture
def shop(db: Any) -> Any:
    """A merchant nobody has used yet: the free plan's 100 credits are waiting."""
    return Merchant.objects.create(name="Shop")


def balance_of(merchant: Any) -> tuple[int, int]:
    """Available and held, as the account has it."""
    with unscoped("test"):
        row = CreditAccount.objects.get(merchant_id=getattr(merchant, "pk", merchant))
        return row.available, row.held


def sums_of(merchant: Any) -> tuple[int, int]:
    """Available and held, as the ledger adds up to."""
    with unscoped("test"):
        rows = LedgerEntry.objects.filter(merchant_id=getattr(merchant, "pk", merchant))
        found = rows.aggregate(available=Sum("available_change"), held=Sum("held_change"))
    return found["available"] or 0, found["held"] or 0


def entries(merchant: Any, job: UUID | None = None) -> list[tuple[str, int, int]]:
    """Kind and changes, oldest first."""
    with merchant_scope(merchant):
        rows = LedgerEntry.objects.order_by("id")
        rows = rows.filter(job_id=job) if job else rows
        return list(rows.values_list("kind", "available_change", "held_change"))


def leave(merchant: Any, credits_left: int) -> None:
    """Let a merchant have exactly so many credits."""
    available = credits.account(merchant.pk).available
    if credits_left != available:
        credits.grant(merchant_id=merchant.pk, amount=credits_left - available, by=None, note="test")


def new_job() -> UUID:
    """The id of a job that only the ledger knows."""
    return uuid4()
