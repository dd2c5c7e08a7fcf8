"""Plans: what is sold, which one a merchant is on, and its limits where they bind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from accounts.models import Merchant, Plan

GIGABYTE = 2**30  # as pages count them
# What an empty installation starts with; staff edit the rows afterwards, and nothing here writes over them.
FIRST: tuple[Mapping[str, Any], ...] = (
    {
        "name": "free", "title": gettext_noop("Free"), "monthly_credits": 100, "most_saved": 300, "concurrency": 2,
        "calls_per_minute": 600, "batch_shoots": 200, "quota_bytes": None, "is_default": True,
    },
    {
        "name": "studio", "title": gettext_noop("Studio"), "monthly_credits": 1_000, "most_saved": 3_000,
        "concurrency": 4, "calls_per_minute": 1_200, "batch_shoots": 1_000, "quota_bytes": 100 * GIGABYTE,
    },
    {
        "name": "business", "title": gettext_noop("Business"), "monthly_credits": 10_000, "most_saved": 30_000,
        "concurrency": 8, "calls_per_minute": 3_000, "batch_shoots": 5_000, "quota_bytes": 1_024 * GIGABYTE,
    },
)  # fmt: skip


def seed_plans() -> int:
    """The first plans, when there are none; how many were made."""
    if Plan.objects.exists():
        return 0
    rows = [Plan(position=place, **fields) for place, fields in enumerate(FIRST)]
    # Two web processes may start on one empty database.
    return len(Plan.objects.bulk_create(rows, ignore_conflicts=True))


def default_plan() -> Plan:
    """The plan of whoever has chosen none: the one for new shops, else the first."""
    found = Plan.objects.order_by("-is_default", "position", "name").first()
    if found is None:
        seed_plans()
        return default_plan()
    return found


def plan_of(merchant: Merchant) -> Plan:
    """The plan that a merchant is on; None on the row means the default plan."""
    return merchant.plan or default_plan()


def limits(plan: Plan) -> dict[str, Any]:
    """The columns of a merchant that repeat its plan's, where claims and uploads read them without a join."""
    return {"concurrency": plan.concurrency, "quota_bytes": plan.quota_bytes}


def spread_limits(plan: Plan) -> int:
    """After staff edited a plan: its merchants get the new limits; how many are on it."""
    on_it = Merchant.objects.filter(plan=plan)
    if plan.is_default:
        on_it = on_it | Merchant.objects.filter(plan=None)
    return on_it.update(**limits(plan))
