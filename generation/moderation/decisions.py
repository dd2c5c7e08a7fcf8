"""What staff decide: row, case, audit log, the shop's programs and its owners, all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import mail
from accounts.models import AuditEntry, Merchant, User
from accounts.models.moderation import Moderation
from accounts.scoping import merchant_scope
from accounts.services import audit, webhooks
from accounts.services.suspending import owners
from catalog.models import Asset
from generation.models import ModerationCase, Picture
from generation.moderation import looking
from generation.moderation.reasons import REJECTIONS, rejection
from imodel_site.lib.errors import Conflict, Refused

Subject, Status = ModerationCase.Subject, ModerationCase.Status
TABLES: dict[str, Any] = {Subject.ASSET: Asset, Subject.PICTURE: Picture}
OUTCOMES = (Moderation.APPROVED, Moderation.REJECTED)
LONGEST_NOTE = 500


@transaction.atomic
def decide(*, cases: Sequence[ModerationCase], by: User, to: str, reason: str, note: str) -> None:
    """Approve or reject what these cases are about; every address of a rejected thing is dead when this returns.

    Args:
        cases: of any merchants; a decided one may be decided anew.
        to: ``approved`` or ``rejected``.
        reason: a code of ``REJECTIONS`` for a rejection, empty for an approval.
        note: staff's own words, for the log and the owners' mail; may be empty unless the reason is ``other``.

    Raises:
        Refused: ``decision_unknown``, ``reason_unknown``, ``note_missing``.
    """
    _check(to, reason, note)
    note = " ".join(note.split())[:LONGEST_NOTE]
    rejected: dict[UUID, list[ModerationCase]] = {}
    for case in sorted(cases, key=lambda case: case.pk):  # one order, so that two members of staff never wait in a ring
        with merchant_scope(case.merchant_id):
            if _decide(case, by=by, to=to, reason=reason, note=note):
                rejected.setdefault(case.merchant_id, []).append(case)
    for merchant_id, found in rejected.items():
        _tell_owners(merchant_id, found, reason, note)


def _check(to: str, reason: str, note: str) -> None:
    if to not in OUTCOMES:
        raise Refused("decision_unknown", _("Approve or reject."), field="to")
    if to == Moderation.REJECTED and reason not in REJECTIONS:
        raise Refused("reason_unknown", _("Choose a reason."), field="reason")
    if to == Moderation.REJECTED and reason == "other" and not note.strip():
        raise Refused("note_missing", _("Say what the reason is: the merchant reads it."), field="note")


def _decide(case: ModerationCase, *, by: User, to: str, reason: str, note: str) -> bool:
    """One case; True when something that was served until now is rejected."""
    row = TABLES[case.subject].objects.select_for_update().filter(pk=case.subject_id).first()
    case.refresh_from_db(from_queryset=ModerationCase.objects.select_for_update())
    before: dict[str, Any] = {"moderation": row.moderation if row else "", "case": _words_of(case)}
    code = reason if to == Moderation.REJECTED else ""
    case.status, case.decision, case.reason, case.note = Status.DECIDED, to, code, note
    case.decided_by, case.decided_at = by, timezone.now()
    case.save(update_fields=["status", "decision", "reason", "note", "decided_by", "decided_at"])
    if row is not None:
        _set(row, to)
    details = {"case": str(case.pk), "before": before, "after": to}
    _record(case, action=to, by=by, reason=code, note=note, details=details)
    return _rejected_now(case, row, before["moderation"], to)


def _rejected_now(case: ModerationCase, row: Any, before: str, to: str) -> bool:
    if row is None or to != Moderation.REJECTED or before == Moderation.REJECTED:
        return False
    if case.subject == Subject.ASSET:
        looking.made_from(row)
    else:
        _emit(case, row)
    return True


def _set(row: Any, state: str) -> None:
    type(row).objects.filter(pk=row.pk).update(moderation=state)


def _words_of(case: ModerationCase) -> dict[str, str]:
    """What a decision overwrites, so that it can be taken back; ``opened_by`` is not among it."""
    return {name: getattr(case, name) for name in ("status", "decision", "reason", "note")}


def _record(case: ModerationCase, *, action: str, by: User, **rest: Any) -> AuditEntry:
    subject = kind_of(case)
    return audit.record(
        action=f"{subject}.{action}", by=by, merchant_id=case.merchant_id, subject_kind=subject,
        subject_id=case.subject_id, **rest,
    )  # fmt: skip


def kind_of(case: ModerationCase) -> str:
    """What the log calls the thing: ``upload`` or ``picture``."""
    return "upload" if case.subject == Subject.ASSET else "picture"


def _emit(case: ModerationCase, picture: Picture) -> None:
    """Once for each time that it is rejected: the entries of the log tell them apart."""
    times = AuditEntry.objects.filter(action="picture.rejected", subject_id=picture.pk).count()
    data = {"id": str(picture.pk), "shoot": str(picture.shoot_id), "reason": case.reason}
    webhooks.emit(merchant_id=case.merchant_id, type="picture.rejected", subject_id=picture.pk, data=data, round=times)


def _tell_owners(merchant_id: UUID, cases: Sequence[ModerationCase], reason: str, note: str) -> None:
    """One mail for all that was decided together."""
    merchant = Merchant.objects.get(pk=merchant_id)
    with merchant_scope(merchant_id):
        people = owners()
    for person in people:
        mail.send(
            "rejected", to=person.email, language=person.language, merchant=merchant, count=len(cases),
            reason=_lazily(reason), note=note, site=settings.SITE_URL,
        )  # fmt: skip


def _lazily(reason: str) -> Any:
    """In the language of whoever is written to, which is set only while the mail is rendered."""
    return REJECTIONS[reason]


@transaction.atomic
def undo(*, case: ModerationCase, by: User) -> None:
    """Take one's own last decision on a case back: row and case are as they were before it.

    Raises:
        Conflict: ``nothing_to_undo``: it was not one's own, or somebody has decided since.
    """
    with merchant_scope(case.merchant_id):
        row = TABLES[case.subject].objects.select_for_update().filter(pk=case.subject_id).first()
        case.refresh_from_db(from_queryset=ModerationCase.objects.select_for_update())
        entry = _last_decision(case)
        if entry is None or entry.by_id != by.pk or case.status != Status.DECIDED:
            raise Conflict("nothing_to_undo", _("There is nothing of yours to take back here."))
        _put_back(case, row, entry.details["before"])
        _record(case, action="undone", by=by, details={"case": str(case.pk), "entry": str(entry.pk)})


def _last_decision(case: ModerationCase) -> AuditEntry | None:
    """None once it was taken back: then there is a newer entry of another action."""
    actions = [f"{kind_of(case)}.{action}" for action in (*OUTCOMES, "undone")]
    newest = AuditEntry.objects.filter(subject_id=case.subject_id, action__in=actions).order_by("-id").first()
    return None if newest is None or newest.action.endswith(".undone") else newest


def _put_back(case: ModerationCase, row: Any, before: dict[str, Any]) -> None:
    for name, value in before["case"].items():
        setattr(case, name, value)
    if case.status == Status.OPEN:
        case.decided_by = case.decided_at = None
    case.save(update_fields=[*before["case"], "decided_by", "decided_at"])
    if row is not None and before["moderation"]:
        _set(row, before["moderation"])


@transaction.atomic
def open_case(*, subject: str, row: Any, by: User) -> ModerationCase:
    """Staff want to look at a thing that the automatic look passed: its case, opened again where it was decided."""
    with merchant_scope(row.merchant_id):
        made = {"opened_by": ModerationCase.OpenedBy.STAFF, "reasons": ["staff"], "merchant_id": row.merchant_id}
        case, new = ModerationCase.objects.get_or_create(subject=subject, subject_id=row.pk, defaults=made)
        if new:
            _record(case, action="opened", by=by, details={"case": str(case.pk)})
    return case


@transaction.atomic
def ask_again(*, by: User | None, subject: str, row: Any) -> ModerationCase:
    """The merchant asks staff to look at a rejected thing once more; it stays out of sight until they have.

    Raises:
        Conflict: ``not_rejected``: there is nothing to ask. ``second_look_used``: this was asked for before.
    """
    case = ModerationCase.objects.select_for_update().filter(subject=subject, subject_id=row.pk).first()
    if case is None or not row.rejected:
        raise Conflict("not_rejected", _("Nothing was removed here, so there is nothing to ask for."))
    if case.opened_by == ModerationCase.OpenedBy.MERCHANT:
        raise Conflict("second_look_used", _("You have asked for a second look already; it can be asked for once."))
    case.status, case.opened_by = Status.OPEN, ModerationCase.OpenedBy.MERCHANT
    case.reasons = [*case.reasons, "asked_again"]
    case.save(update_fields=["status", "opened_by", "reasons"])
    if by is not None:
        _record(case, action="second_look", by=by, details={"case": str(case.pk)})
    return case


def why(subject: str, row: Any) -> dict[str, Any]:
    """What the merchant is told about a rejected thing: the reason, staff's note, and whether it may still ask."""
    case = ModerationCase.objects.filter(subject=subject, subject_id=row.pk).first()
    asked = case is not None and case.opened_by == ModerationCase.OpenedBy.MERCHANT
    return {
        "reason": rejection(case.reason if case else ""),
        "note": case.note if case else "",
        "waits": asked and case.status == Status.OPEN,
        "asked": asked,
    }
