"""What staff give a merchant: credits and another plan, each with its entry in the audit log."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Merchant, Plan, User
from accounts.scoping import merchant_scope
from accounts.services import audit, credits
from imodel_site.lib.errors import Refused

MOST = 1_000_000


@transaction.atomic
def grant_credits(*, merchant: Merchant, amount: int, by: User, note: str) -> None:
    """Give credits, or take them back with a negative amount; the balance never goes below zero.

    Raises:
        Refused: ``amount_invalid``, ``reason_missing``, or what ``credits.grant`` says.
    """
    if abs(amount) > MOST:
        raise Refused("amount_invalid", _("At most a million credits at once."), field="amount")
    words = " ".join(note.split())[:300]
    if not words:
        raise Refused("reason_missing", _("Say why, in a sentence: it is kept in the audit log."), field="note")
    with merchant_scope(merchant.pk):
        credits.grant(merchant_id=merchant.pk, amount=amount, by=by, note=words)
    _record("credits.granted", merchant, by, words, amount=amount)


@transaction.atomic
def put_on_plan(*, merchant: Merchant, plan: str, by: User) -> None:
    """Another plan, with its limits, from now on.

    Raises:
        Refused: ``plan_unknown``.
    """
    found = Plan.objects.filter(pk=plan).first()
    if found is None:
        raise Refused("plan_unknown", _("Choose one of the plans."), field="plan")
    before = merchant.plan_id
    with merchant_scope(merchant.pk):
        credits.change_plan(merchant_id=merchant.pk, plan=found, by=by)
    _record("merchant.plan_changed", merchant, by, "", before=before, after=found.pk)


def _record(action: str, merchant: Merchant, by: User, note: str, **details: object) -> None:
    audit.record(
        action=action, by=by, merchant_id=merchant.pk, subject_kind="merchant", subject_id=merchant.pk,
        note=note, details=details,
    )  # fmt: skip
