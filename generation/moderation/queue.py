"""The staff's queue: which cases, oldest first, and everything that one screen shows of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from accounts.models import Merchant
from accounts.models.moderation import Moderation
from accounts.scoping import unscoped
from generation.models import ModerationCase
from generation.moderation import shops
from generation.moderation.decisions import TABLES
from generation.moderation.reasons import opening, rejection

PAGE = 12
WHY = "the staff's moderation queue"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is shown; empty asks for nothing.

    Attributes:
        subject: ``asset`` or ``picture``.
        state: ``open`` (the queue), ``decided``, or ``all``.
        reason: a code, of why it was opened or why it was rejected.
        opened_by: ``look``, ``staff`` or ``merchant``.
    """

    subject: str = ""
    merchant: UUID | None = None
    reason: str = ""
    state: str = "open"
    opened_by: str = ""
    since: date | None = None
    until: date | None = None

    def rows(self) -> Any:
        """The cases, unordered; inside of an open scope."""
        rows = ModerationCase.objects.filter(self._wanted())
        if self.reason:
            rows = rows.annotate(codes=Cast("reasons", TextField()))
            rows = rows.filter(Q(reason=self.reason) | Q(codes__contains=f'"{self.reason}"'))
        return rows

    def _wanted(self) -> Q:
        wanted: dict[str, Any] = {"status": self.state} if self.state != "all" else {}
        for name in ("subject", "opened_by"):
            if value := getattr(self, name):
                wanted[name] = value
        if self.merchant:
            wanted["merchant_id"] = self.merchant
        if self.since:
            wanted["created_at__gte"] = _start(self.since)
        if self.until:
            wanted["created_at__lt"] = _start(self.until + timedelta(days=1))
        return Q(**wanted)


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


@dataclass(frozen=True)
class Entry:
    """One case as the page shows it. ``gone``: what it is about was deleted meanwhile."""

    case: ModerationCase
    state: str
    rejected: bool
    width: int
    height: int
    gone: bool
    reasons: Sequence[str]
    checker: str
    decided_for: str
    shop: shops.Shop


@dataclass(frozen=True)
class Page:
    """One screen of the queue; ``after`` is the cursor of the next one, ``waiting`` how many wait in all."""

    entries: Sequence[Entry]
    after: UUID | None
    waiting: int


def page(filters: Filters, *, after: UUID | None) -> Page:
    """The oldest cases beyond a cursor."""
    with unscoped(WHY):
        rows = filters.rows().select_related("decided_by").order_by("id")
        found = list((rows.filter(pk__gt=after) if after else rows)[: PAGE + 1])
        waiting = ModerationCase.objects.filter(status=ModerationCase.Status.OPEN).count()
        return Page(_entries(found[:PAGE]), found[PAGE - 1].pk if len(found) > PAGE else None, waiting)


def entry(case: ModerationCase) -> Entry:
    """One case by itself."""
    with unscoped(WHY):
        return _entries([case])[0]


def _entries(cases: Sequence[ModerationCase]) -> list[Entry]:
    subjects = {
        kind: table.objects.in_bulk([case.subject_id for case in cases if case.subject == kind])
        for kind, table in TABLES.items()
    }
    merchants = Merchant.objects.select_related("plan").in_bulk({case.merchant_id for case in cases})
    beside = {pk: shops.shop(merchant) for pk, merchant in merchants.items()}
    return [_entry(case, subjects[case.subject].get(case.subject_id), beside[case.merchant_id]) for case in cases]


def _entry(case: ModerationCase, row: Any, beside: shops.Shop) -> Entry:
    findings = (row.findings if row else None) or {}
    return Entry(
        case=case,
        state=str(row.get_moderation_display()) if row else "",
        rejected=row is not None and row.moderation == Moderation.REJECTED,
        width=row.width if row else 0,
        height=row.height if row else 0,
        gone=row is None,
        reasons=_said(case, findings),
        checker=findings.get("checker", ""),
        decided_for=rejection(case.reason) if case.reason else "",
        shop=beside,
    )


def _said(case: ModerationCase, findings: dict[str, Any]) -> list[str]:
    """Why it is here, with the look's figures where it has some."""
    scores = {reason["code"]: reason["score"] for reason in findings.get("reasons", ())}
    return [f"{opening(code)} ({scores[code]:.2f})" if code in scores else opening(code) for code in case.reasons]
