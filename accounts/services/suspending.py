"""Staff stop a merchant, and let it go on: everything of it stops at once, and nothing is deleted."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from accounts import mail, tables
from accounts.models import Membership, Merchant, Role, User
from accounts.scoping import merchant_scope
from accounts.services import audit
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs.model import Job, Status

LONGEST_REASON = 300


@transaction.atomic
def suspend(*, merchant: Merchant, by: User, reason: str) -> None:
    """Lock members, keys and addresses of files out, and stop what runs; what waits goes on waiting.

    A merchant that is being deleted is not deleted while it is suspended.

    Args:
        reason: in words, shown to its members and kept in the audit log.

    Raises:
        Refused: ``reason_missing``.
        Conflict: ``suspended_already``.
    """
    words = _reason(reason)
    status = Merchant.Status
    open_ = Merchant.objects.filter(pk=merchant.pk, status__in=(status.ACTIVE, status.CLOSING))
    if not open_.update(status=status.SUSPENDED, suspended_reason=words):
        raise Conflict("suspended_already", _("This shop is suspended already."))
    with merchant_scope(merchant.pk):
        _stop_jobs()
        people = list(owners())
    audit.record(
        action="merchant.suspended", by=by, merchant_id=merchant.pk, subject_kind="merchant",
        subject_id=merchant.pk, note=words,
    )  # fmt: skip
    mail.send_all("suspended", people=people, merchant=merchant, reason=words, site=settings.SITE_URL)


@transaction.atomic
def reopen(*, merchant: Merchant, by: User, reason: str) -> None:
    """Let it go on; one whose deletion was asked for is being deleted again.

    Raises:
        Refused: ``reason_missing``.
        Conflict: ``not_suspended``.
    """
    words = _reason(reason)
    found = Merchant.objects.select_for_update().get(pk=merchant.pk)
    if found.status != Merchant.Status.SUSPENDED:
        raise Conflict("not_suspended", _("This shop is not suspended."))
    status = Merchant.Status.CLOSING if found.delete_after else Merchant.Status.ACTIVE
    Merchant.objects.filter(pk=merchant.pk).update(status=status, suspended_reason="")
    audit.record(
        action="merchant.reopened", by=by, merchant_id=merchant.pk, subject_kind="merchant",
        subject_id=merchant.pk, note=words,
    )  # fmt: skip
    with merchant_scope(merchant.pk):
        people = list(owners())
    mail.send_all("reopened", people=people, merchant=merchant, site=settings.SITE_URL)


def owners() -> list[User]:
    """The owners of the open scope's merchant."""
    return list(User.objects.filter(pk__in=Membership.objects.filter(role=Role.OWNER).values("user")))


def _stop_jobs() -> None:
    """Ask whatever runs to stop; claims leave alone what waits (imodel_site/lib/jobs/claims.py)."""
    for model in tables.owned():
        if issubclass(model, Job):
            running = model.objects.filter(status=Status.RUNNING)
            running.update(cancel_requested_at=Coalesce("cancel_requested_at", Now()))


def _reason(text: str) -> str:
    words = " ".join(text.split())[:LONGEST_REASON]
    if not words:
        raise Refused("reason_missing", _("Say why, in a sentence: it is kept in the audit log."), field="reason")
    return words
