"""From a finding of the automatic look to a case in the staff's queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from accounts.models.moderation import Moderation
from catalog.models import Asset
from generation.models import ModerationCase, Picture

Subject = ModerationCase.Subject


def asset_flagged(asset: Asset) -> None:
    """The catalog's look has flagged an upload; called in its transaction."""
    _open([_case(asset, Subject.ASSET)])


def pictures_written(pictures: Iterable[Picture]) -> None:
    """Open a case for each new picture that came flagged; in the transaction that writes them."""
    _open([_case(picture, Subject.PICTURE) for picture in pictures if picture.moderation == Moderation.FLAGGED])


def made_from(asset: Asset) -> int:
    """A photo was rejected: what was made from it and nobody has decided on waits for staff; how many pictures."""
    undecided = (Moderation.PENDING, Moderation.CLEAR)
    source = Q(shoot__photo__asset=asset) | Q(shoot__fashn_run__asset=asset)
    rows = Picture.objects.filter(source, moderation__in=undecided)
    found = list(rows.only("pk", "merchant_id"))
    Picture.objects.filter(pk__in=[row.pk for row in found]).update(moderation=Moderation.FLAGGED)
    _open([_case(row, Subject.PICTURE, reasons=["from_rejected_photo"]) for row in found])
    return len(found)


def _case(row: Any, subject: str, *, reasons: list[str] | None = None) -> ModerationCase:
    if reasons is None:
        reasons = [reason["code"] for reason in (row.findings or {}).get("reasons", ())]
    return ModerationCase(merchant_id=row.merchant_id, subject=subject, subject_id=row.pk, reasons=reasons)


def _open(cases: list[ModerationCase]) -> None:
    """A thing has one case: where there is one already, it stays as it is."""
    ModerationCase.objects.bulk_create(cases, ignore_conflicts=True, batch_size=500)
