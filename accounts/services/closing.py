"""An owner asks for the merchant to be deleted; after a grace period it is, and the owner is told what went.

While it waits, everything can be looked at and taken along, nothing changed; any owner can keep the shop.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import mail, tables
from accounts.models import DeletionReport, Membership, Merchant, Role, User
from accounts.scoping import merchant_scope
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict, Refused

log = logging.getLogger("imodel.accounts")
AT_ONCE = 5_000


@transaction.atomic
def ask_deletion(*, merchant: Merchant, by: User, typed_name: str) -> None:
    """Start the grace period and warn every member."""
    if " ".join(typed_name.split()) != merchant.name:
        raise Refused("name_differs", _("Type the shop's name exactly as it is written above."), field="name")
    after = timezone.now() + timedelta(days=settings.DELETION_GRACE_DAYS)
    changed = Merchant.objects.filter(pk=merchant.pk, status=Merchant.Status.ACTIVE).update(
        status=Merchant.Status.CLOSING, delete_after=after, closing_asked_by=by
    )
    if not changed:
        raise Conflict("not_active", _("This shop is being deleted already, or is suspended."))
    mail.send_all("closing", people=_people(), merchant=merchant, by=by, after=after, site=settings.SITE_URL)


@transaction.atomic
def keep(*, merchant: Merchant, by: User) -> None:
    """Take the deletion back."""
    changed = Merchant.objects.filter(pk=merchant.pk, status=Merchant.Status.CLOSING).update(
        status=Merchant.Status.ACTIVE, delete_after=None, closing_asked_by=None
    )
    if not changed:
        raise Conflict("not_closing", _("This shop is not being deleted."))
    mail.send_all("kept", people=_people(), merchant=merchant, by=by)


def delete_due() -> int:
    """Delete every merchant whose grace period is over; the sweep calls this.

    Raises:
        Exception: what went wrong with the first that could not be deleted, once all others were.
    """
    due = Merchant.objects.filter(status=Merchant.Status.CLOSING, delete_after__lte=timezone.now())
    found = list(due.values_list("pk", flat=True)[:100])
    broken: list[Exception] = []
    for merchant_id in found:
        try:
            delete_merchant(merchant_id=merchant_id)
        except Exception as error:
            log.exception("merchant %s could not be deleted", merchant_id)
            broken.append(error)
    if broken:
        raise broken[0]
    return len(found)


def delete_merchant(*, merchant_id: UUID) -> DeletionReport | None:
    """Remove every row and every file of a merchant that is due. Safe to call again after a crash, or twice at once.

    1. Rows go in batches, children first; each batch and its entry in the report are one transaction.
    2. Then the files: from here on no row names them.
    3. The merchant's own row goes last, so that until then the next sweep starts again.
    """
    with merchant_scope(merchant_id):
        report = _start(merchant_id)
        if report is None:
            return None
        owners = list(_people().filter(pk__in=Membership.objects.filter(role=Role.OWNER).values("user")))
        for model in tables.children_first():
            while _delete_some(model, merchant_id):
                pass
        _delete_files(merchant_id)
        return _finish(merchant_id, owners)


@transaction.atomic
def _start(merchant_id: UUID) -> DeletionReport | None:
    """The report, with who asked; None when the merchant is gone or was kept meanwhile."""
    due = Merchant.objects.filter(pk=merchant_id, status=Merchant.Status.CLOSING, delete_after__lte=timezone.now())
    merchant = due.select_for_update().first()
    if merchant is None:
        return None
    asked = merchant.closing_asked_by.email if merchant.closing_asked_by else ""
    return DeletionReport.objects.get_or_create(
        merchant_id=merchant_id, defaults={"merchant_name": merchant.name, "asked_by_email": asked}
    )[0]


def _note(merchant_id: UUID, kind: str, name: str, count: int) -> None:
    report = DeletionReport.objects.select_for_update().get(merchant_id=merchant_id)
    found = report.removed.setdefault(kind, {})
    found[name] = found.get(name, 0) + count
    report.save(update_fields=["removed"])


@transaction.atomic
def _delete_some(model: Any, merchant_id: UUID) -> int:
    """A batch of one table; 0 when none is left. The merchant is named, so that shared library rows stay."""
    rows = model._base_manager.filter(merchant_id=merchant_id)
    some = model._base_manager.filter(pk__in=list(rows.values_list("pk", flat=True)[:AT_ONCE]))
    # No cascades and no signals: the order of the tables is the cascade, and a million rows need not be loaded.
    gone: int = some._raw_delete(some.db)
    if gone:
        _note(merchant_id, "rows", model._meta.label, gone)
    return gone


def _delete_files(merchant_id: UUID) -> None:
    count, size = storage.delete_tree(merchant_id)
    with transaction.atomic():
        _note(merchant_id, "files", "count", count)
        _note(merchant_id, "files", "bytes", size)


@transaction.atomic
def _finish(merchant_id: UUID, owners: list[User]) -> DeletionReport:
    Merchant.objects.filter(pk=merchant_id).delete()
    report = DeletionReport.objects.get(merchant_id=merchant_id)
    told = {owner.email: owner.language for owner in owners} or {report.asked_by_email: ""}
    for address, language in told.items():
        if address:
            mail.send("deleted", to=address, language=language, report=report, rows=_by_name(report))
    log.info("deleted merchant %s: %s", merchant_id, report.removed)
    return report


def _by_name(report: DeletionReport) -> Iterator[tuple[str, int]]:
    """Rows by the name of their table, in words."""
    for label, count in sorted(report.removed.get("rows", {}).items()):
        yield str(tables.words(label)), count


def _people() -> QuerySet[User]:
    """Everybody who belongs to the open scope's merchant."""
    return User.objects.filter(pk__in=Membership.objects.values("user"))
