"""An owner asks for the merchant to be deleted; after a grace period it is, and the owner is told what went.

While it waits, everything can be looked at and taken along, nothing changed; any owner can keep the shop.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import mail, tables
from accounts.models import DeletionReport, Membership, Merchant, Role, User
from accounts.scoping import merchant_scope
from accounts.services import leftovers
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs import transitions
from imodel_site.lib.jobs.model import Job, Status

log = logging.getLogger("imodel.accounts")
AT_ONCE = 5_000
SWEPT_FOR = timedelta(days=7)


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


def sweep_deleted() -> int:
    """What came back of merchants that are gone: a worker that was killed while it stored pictures leaves them behind.

    Returns:
        How many things there were.
    """
    lately = DeletionReport.objects.filter(created_at__gt=timezone.now() - SWEPT_FOR)
    gone = lately.exclude(merchant_id__in=Merchant.objects.values("pk")).values_list("merchant_id", flat=True)
    found = 0
    for merchant_id in list(gone):
        found += storage.delete_tree(merchant_id)[0] + sum(leftovers.forget(merchant_id).values())
    return found


def delete_merchant(*, merchant_id: UUID) -> DeletionReport | None:
    """Remove every row and every file of a merchant that is due. Safe to call again after a crash, or twice at once.

    1. Workers that run a job of it are fenced out: whatever they finish afterwards is void, and they take their files
       back. None begins, because its time is over (lib/jobs/claims.py).
    2. Rows go in batches, children first; each batch and its entry in the report are one transaction.
    3. Then the files: from here on no row names them. They are counted before the first goes.
    4. Caches, folders, sessions.
    5. The merchant's own row goes last, so that until then the next sweep starts again.
    """
    with merchant_scope(merchant_id):
        report = _start(merchant_id)
        if report is None:
            return None
        owners = list(_people().filter(pk__in=Membership.objects.filter(role=Role.OWNER).values("user")))
        _fence(merchant_id)
        for model in tables.children_first():
            while _delete_some(model, merchant_id):
                pass
        _count_files(merchant_id)
        storage.delete_tree(merchant_id)
        for kind, count in leftovers.forget(merchant_id).items():
            _note(merchant_id, "elsewhere", kind, count)
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


def _fence(merchant_id: UUID) -> None:
    """Another token than their workers have; the status stays, nobody will ask for it any more."""
    for model in tables.owned():
        if issubclass(model, Job):
            running = transitions.rows(model).filter(merchant_id=merchant_id, status=Status.RUNNING)
            running.update(token=F("token") + 1)


@transaction.atomic
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


def _count_files(merchant_id: UUID) -> None:
    """Once, and all of them: after a crash some are gone, and would be missing from the report."""
    kinds: Counter[str] = Counter()
    total = 0
    for file in storage.private().listed(f"m/{merchant_id}/"):
        kinds[file.key.split("/")[2]] += 1
        total += file.bytes
    with transaction.atomic():
        report = DeletionReport.objects.select_for_update().get(merchant_id=merchant_id)
        if "files" not in report.removed:
            report.removed["files"] = {"count": kinds.total(), "bytes": total, "kinds": dict(sorted(kinds.items()))}
            report.save(update_fields=["removed"])


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
