"""The audit log: who decided or looked at what, when and why. Entries are added, never changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.utils import timezone

from accounts.models import AuditEntry, User

DAY = 24 * 3600
LOOKED = "case.looked_at"


def record(
    *,
    action: str,
    by: User,
    merchant_id: UUID | None = None,
    subject_kind: str = "",
    subject_id: UUID | None = None,
    reason: str = "",
    note: str = "",
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write an entry, in the caller's transaction: what is rolled back was not decided.

    Args:
        action: what was done: ``picture.rejected``, ``merchant.suspended``, ``credits.granted``.
        by: who; the address is kept, so that the entry says who even when the account is gone.
        reason: a code.
        note: what staff wrote; never a text of the merchant's.
    """
    return AuditEntry.objects.create(
        action=action,
        by=by,
        by_email=by.email,
        merchant_id=merchant_id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        reason=reason,
        note=note,
        details=details or {},
    )


def looked(*, by: User, merchant_id: UUID, subject_kind: str, subject_id: UUID) -> None:
    """A person of staff's has opened somebody's picture: one entry a person, thing and day (UTC), however often."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    # The cache tells twins apart that ask at the same moment; the rows decide when it was emptied.
    if not cache.add(f"audit-looked:{merchant_id}:{subject_id}:{by.pk}:{today:%Y%m%d}", True, timeout=DAY):
        return
    same = AuditEntry.objects.filter(action=LOOKED, by=by, subject_id=subject_id, created_at__gte=today)
    if not same.exists():
        record(action=LOOKED, by=by, merchant_id=merchant_id, subject_kind=subject_kind, subject_id=subject_id)
