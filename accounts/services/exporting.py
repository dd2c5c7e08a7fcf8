"""An owner asks for everything; a light job packs it, the owner is told, and a week later the archive is removed."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import mail
from accounts.access import allow_owner
from accounts.actors import Actor
from accounts.exporting import names, packing
from accounts.exporting.packing import Packed
from accounts.models import Export, Merchant
from accounts.scoping import merchant_scope, unscoped
from accounts.services import webhooks
from imodel_site.lib import storage, workplace
from imodel_site.lib.errors import Conflict, NotAllowed
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import ENDED
from imodel_site.lib.jobs.work import LostLease, Work

log = logging.getLogger("imodel.accounts")
KEPT_FOR = timedelta(days=7)
AFTER_ALL_ELSE = -2  # priority


@transaction.atomic
def start_export(*, actor: Actor) -> Export:
    """Queue one; also while the shop waits to be deleted.

    Raises:
        NotAllowed: not an owner; ``merchant_suspended``; ``merchant_gone``: its time is over.
        Conflict: ``export_running``: one at a time.
    """
    allow_owner(actor)
    merchant = Merchant.objects.select_for_update().get(pk=actor.merchant.pk)  # the lock: two would both find none
    _refuse_closed(merchant)
    if Export.objects.exclude(status__in=ENDED).exists():
        raise Conflict("export_running", _("An archive is being made already. Wait for it, or cancel it."))
    export = Export(merchant=merchant, started_by=actor.user, priority=AFTER_ALL_ELSE)
    jobs.enqueue(export)
    return export


def _refuse_closed(merchant: Merchant) -> None:
    if merchant.status == Merchant.Status.SUSPENDED:
        raise NotAllowed("merchant_suspended", _("This shop is suspended. Nothing was deleted; write to us."))
    if merchant.delete_after is not None and merchant.delete_after <= timezone.now():
        raise NotAllowed("merchant_gone", _("This shop is being deleted now, so no archive can be made any more."))


def cancel_export(*, actor: Actor, export: Export) -> None:
    """Stop it; what was packed so far is thrown away within the hour."""
    allow_owner(actor)
    jobs.cancel(export)


def can_be_downloaded(export: Export) -> bool:
    """Whether its archive is still there."""
    return bool(export.key) and export.expires_at is not None and export.expires_at > timezone.now()


# --- in the worker -------------------------------------------------------------------------------------------------
def carry_out(work: Work, *, seconds: float = packing.SLICE_SECONDS) -> None:
    """Pack, store, tell. Broken off anywhere, it goes on at the next claim; on another machine it starts again."""
    try:
        packed = packing.pack(work, seconds=seconds)
    except packing.SliceOver:
        work.hand_back()
        return
    key = storage.new_key(work.job.merchant_id, names.KIND, "zip")
    storage.move_in(key, packed.path)
    try:
        _finish(work, key, packed)
    except LostLease:  # nothing was written, and nothing may stay
        storage.delete(key)
        raise
    finally:
        workplace.drop(work.job.merchant_id, packing.place_of(work.job.pk))


def _finish(work: Work, key: str, packed: Packed) -> None:
    ends = timezone.now() + KEPT_FOR
    work.finish(
        lambda: _tell(work, packed, ends),
        key=key,
        bytes=packed.bytes,
        rows=packed.rows,
        files=packed.files,
        expires_at=ends,
    )


def _tell(work: Work, packed: Packed, ends: Any) -> None:
    """In the transaction that ends it: the newest archive is the only one, the owner and the shop's programs hear."""
    export: Any = work.job
    _remove_archives(Export.objects.exclude(pk=export.pk))
    data = {"id": str(export.pk), "bytes": packed.bytes, "rows": packed.rows, "files": packed.files}
    webhooks.emit(
        merchant_id=export.merchant_id,
        type="export.succeeded",
        subject_id=export.pk,
        round=work.token,
        data={**data, "expires_at": ends.isoformat()},
    )
    person = export.started_by
    if person is not None:
        facts = {"merchant": export.merchant, "packed": packed, "ends": ends, "site": settings.SITE_URL}
        mail.send("export_ready", to=person.email, language=person.language, **facts)


def still_wanted(export_id: str) -> bool:
    """Whether a worker will go on with this export's folder."""
    with unscoped("folders of exports on this machine"):
        return Export.objects.filter(pk=UUID(export_id)).exclude(status__in=ENDED).exists()


# --- the week after ------------------------------------------------------------------------------------------------
def remove_expired() -> int:
    """Archives whose week is over; how many. The rows stay: they say when somebody took everything along."""
    with unscoped("archives of every merchant, by their date"):
        due = Export.objects.exclude(key="").filter(expires_at__lte=timezone.now())
        merchants = set(due.values_list("merchant_id", flat=True))
    gone = 0
    for merchant_id in merchants:
        with merchant_scope(merchant_id), transaction.atomic():
            gone += _remove_archives(Export.objects.filter(expires_at__lte=timezone.now()))
    return gone


def _remove_archives(rows: Any) -> int:
    """Rows first, files once they are committed: what a crash leaves in between is collected."""
    found = dict(rows.exclude(key="").select_for_update().values_list("pk", "key"))
    Export.objects.filter(pk__in=found).update(key="")
    transaction.on_commit(lambda: storage.delete(*found.values()), robust=True)
    return len(found)


def referred_keys(merchant_id: UUID) -> Any:
    """For the collector."""
    return Export.objects.exclude(key="").values_list("key", flat=True)
