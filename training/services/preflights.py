"""Looking at a set before anything is spent: the job, and what becomes of what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict
from imodel_site.lib.jobs import services as jobs
from imodel_site.lib.jobs.model import ENDED, Status
from training import orders
from training.models import Preflight, TrainingPicture, TrainingSet, View
from training.services import sets

KIND = "trainset"  # of storage keys: masks that were proposed


def newest(found: TrainingSet) -> Preflight | None:
    """The last look at a set, under way or ended."""
    row: Preflight | None = Preflight.objects.filter(set=found).order_by("-id").first()
    return row


@transaction.atomic
def start_preflight(*, actor: Actor, found: TrainingSet) -> Preflight:
    """Look at the set; the look that is under way already, or that saw the very same set, is the one.

    Raises:
        Conflict: ``set_empty``: there is no picture.
    """
    allow_write(actor)
    found = sets.lock(found)
    last = newest(found)
    if last is not None and last.edition == found.edition and last.status not in (Status.FAILED, Status.CANCELLED):
        return last
    if not TrainingPicture.objects.filter(set=found, left_out=False).exists():
        raise Conflict("set_empty", _("There is no picture in this set yet. Add photos of the garment."))
    if last is not None and last.status not in ENDED:
        jobs.cancel(last)
    made = Preflight(merchant_id=found.merchant_id, set=found, edition=found.edition)
    jobs.enqueue(made)
    return made


def current(found: TrainingSet) -> Preflight | None:
    """The look that succeeded and saw the set as it is now."""
    rows = Preflight.objects.filter(set=found, edition=found.edition, status=Status.SUCCEEDED)
    row: Preflight | None = rows.order_by("-id").first()
    return row


def keep_masks(
    *, merchant_id: Any, told: Sequence[Mapping[str, Any]], read: Callable[[str], bytes]
) -> list[dict[str, Any]]:
    """Store the masks that a look proposed; ``told`` again with storage keys in the place of files."""

    def key(file: str | None) -> str:
        return storage.put(storage.new_key(merchant_id, KIND, "png"), read(file)) if file else ""

    kept = []
    for one in told:
        crops = [{"box": crop["box"], "mask": key(crop.get("mask"))} for crop in one.get("crops") or ()]
        kept.append({**one, "mask": key(one.get("mask")), "crops": crops})
    return kept


def written(*, look: Preflight, pictures: Sequence[TrainingPicture], told: Sequence[Mapping[str, Any]]) -> None:
    """Give each picture what the look says of it, but for what somebody said by hand; in the job's last transaction.

    The pictures were read when the look began, minutes ago. A set that was changed since is left as it is: nothing
    starts before it is looked at again.
    """
    found = sets.lock(look.set)
    if found.edition != look.edition:
        return
    held = {number for number, one in enumerate(told) if one.get("held_out")}
    chosen = any(orders.held_out(picture) for picture in pictures)
    for number, (picture, one) in enumerate(zip(pictures, told, strict=True)):
        fields: dict[str, Any] = {}
        if not picture.caption_by_hand and one.get("caption"):
            fields["caption"] = str(one["caption"])[:1000]
        if not picture.view_by_hand and one.get("view") in View.values:
            fields["view"] = one["view"]
        if one.get("mask"):
            fields["mask_key"] = one["mask"]
        if not chosen:
            fields["held_out"] = number in held
        if fields:
            TrainingPicture.objects.filter(pk=picture.pk, set=found).update(**fields)
