"""What staff know about a merchant when they decide: figures and past decisions, none of its texts or pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.audit_words import action_words
from accounts.models import ApiKey, AuditEntry, CreditAccount, Membership, Merchant, Plan
from accounts.models.moderation import Moderation
from accounts.scoping import merchant_scope
from accounts.services import audit
from accounts.services.plans import plan_of
from catalog.models import Asset
from generation.models import ModerationCase, Picture, Shoot
from generation.moderation.reasons import rejection

COUNTED = 10_000  # further than this nobody needs to know, and counting a million rows takes a second
PAST = 8
NEWEST = 24


@dataclass(frozen=True)
class Past:
    """Something that was decided about a merchant, in words."""

    what: str
    why: str
    note: str
    when: datetime


@dataclass(frozen=True)
class Shop:
    """A merchant in figures; a count of ``COUNTED`` means so many or more."""

    merchant: Merchant
    plan: Plan
    available: int
    held: int
    people: int
    keys: int
    uploads: int
    pictures: int
    rejected: int
    open_cases: int
    past: Sequence[Past]


def shop(merchant: Merchant) -> Shop:
    """The figures, in the merchant's scope."""
    with merchant_scope(merchant.pk):
        account = CreditAccount.objects.first()
        hidden = {"moderation": Moderation.REJECTED}
        return Shop(
            merchant,
            plan_of(merchant),
            account.available if account else 0,
            account.held if account else 0,
            Membership.objects.count(),
            ApiKey.objects.filter(revoked_at=None).count(),
            _count(Asset.objects.all()),
            _count(Picture.objects.all()),
            _count(Asset.objects.filter(**hidden)) + _count(Picture.objects.filter(**hidden)),
            _count(ModerationCase.objects.filter(status=ModerationCase.Status.OPEN)),
            past_decisions(merchant.pk),
        )


def _count(rows: Any) -> int:
    return int(rows.order_by()[:COUNTED].count())


def past_decisions(merchant_id: UUID) -> list[Past]:
    """The newest entries of the log about a merchant, without who looked at what."""
    rows = AuditEntry.objects.filter(merchant_id=merchant_id).exclude(action=audit.LOOKED).order_by("-id")[:PAST]
    return [
        Past(action_words(row.action), rejection(row.reason) if row.reason else "", row.note, row.created_at)
        for row in rows
    ]


@dataclass(frozen=True)
class Row:
    """An upload or a picture by its id: what can be opened as a case."""

    subject: str
    pk: UUID
    state: str
    made: Any


def newest(merchant_id: UUID) -> list[Row]:
    """The newest uploads and pictures, without showing them."""
    with merchant_scope(merchant_id):
        return [*_rows("asset", Asset), *_rows("picture", Picture)]


def _rows(subject: str, table: Any) -> list[Row]:
    rows = table.objects.order_by("-id").only("pk", "moderation", "created_at", "merchant_id")[:NEWEST]
    return [Row(subject, row.pk, row.get_moderation_display(), row.created_at) for row in rows]


def running(merchant_id: UUID) -> int:
    """Shoots that wait or run."""
    with merchant_scope(merchant_id):
        return _count(Shoot.objects.filter(status__in=("queued", "running", "paused")))
