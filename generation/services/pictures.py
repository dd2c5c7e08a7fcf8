"""What is done with pictures, one or many; a bulk call is carried out whole or not at all."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.models.moderation import Moderation
from accounts.scoping import merchant_scope, unscoped
from catalog.services.garments import split_tags
from generation.models import Complaint, Picture, PictureTag, Review, Shoot
from generation.services import redoing
from imodel_site.lib import storage
from imodel_site.lib.errors import Conflict, Refused
from imodel_site.lib.jobs.model import ENDED
from studio.errors import StorageError

log = logging.getLogger("imodel.pictures")

KEPT_IN_BIN = timedelta(days=30)
LONGEST_TAG = 40
MOST_TAGS = 20
PURGE_BATCH = 200


def set_favourite(*, actor: Actor, pictures: Sequence[Picture], favourite: bool) -> None:
    """Mark as favourite, or no longer."""
    allow_write(actor)
    Picture.objects.filter(pk__in=[p.pk for p in pictures]).update(favourite=favourite)


@transaction.atomic
def review_pictures(*, actor: Actor, pictures: Sequence[Picture], review: str, reason: str = "") -> None:
    """Say what one thinks of them: approved, rejected (and why), or (empty) not looked at.

    Args:
        reason: one of ``Complaint``, or empty; of a rejection only.

    Raises:
        Refused: ``review_unknown``, ``reason_unknown``.
        Conflict: ``made_again``: one was made again for nothing, and stays rejected.
    """
    allow_write(actor)
    if review not in Review.values:
        raise Refused("review_unknown", _("Approve it, reject it, or take that back."), field="review")
    if reason not in ("", *Complaint.values):
        raise Refused("reason_unknown", _("Choose one of the reasons that are offered."), field="reason")
    rows = Picture.objects.filter(pk__in=[p.pk for p in pictures])
    # Locked, so that none of them is made again between this look and the update.
    found = list(rows.select_for_update().order_by("pk").only("pk", "review"))
    if review != Review.REJECTED and redoing.redos_of(found):
        words = _("This picture was made again free, so it stays rejected. Approve the new one.")
        raise Conflict("made_again", words, field="review")
    rows.update(review=review, review_reason=reason if review == Review.REJECTED else "")


@transaction.atomic
def change_picture(
    *,
    actor: Actor,
    picture: Picture,
    favourite: bool | None = None,
    review: str | None = None,
    reason: str = "",
    tags: Sequence[str] | None = None,
) -> None:
    """Change what is given of one picture; ``reason`` belongs to ``review``, ``tags`` are all that it then carries.

    Raises:
        Refused: as the services for each.
    """
    one = [picture]
    if favourite is not None:
        set_favourite(actor=actor, pictures=one, favourite=favourite)
    if review is not None:
        review_pictures(actor=actor, pictures=one, review=review, reason=reason)
    if tags is not None:
        _set_tags(actor, picture, {clean_tag(name) for name in tags})


def _set_tags(actor: Actor, picture: Picture, wanted: set[str]) -> None:
    for gone in set(picture.tags.values_list("name", flat=True)) - wanted:
        untag_pictures(actor=actor, pictures=[picture], name=gone)
    for name in sorted(wanted):
        tag_pictures(actor=actor, pictures=[picture], name=name)


def delete_pictures(*, actor: Actor, pictures: Sequence[Picture]) -> None:
    """Into the bin, where they stay for 30 days; what lies there already keeps its day."""
    allow_write(actor)
    rows = Picture.objects.filter(pk__in=[p.pk for p in pictures], deleted_at=None)
    rows.update(deleted_at=timezone.now())


def restore_pictures(*, actor: Actor, pictures: Sequence[Picture]) -> None:
    """Out of the bin."""
    allow_write(actor)
    Picture.objects.filter(pk__in=[p.pk for p in pictures]).update(deleted_at=None)


def tag_pictures(*, actor: Actor, pictures: Sequence[Picture], name: str) -> str:
    """Put a word on pictures that do not carry it yet; the word as it was kept.

    Raises:
        Refused: ``tag_invalid``, ``too_many_tags``.
    """
    allow_write(actor)
    tag = clean_tag(name)
    with transaction.atomic():
        _refuse_crowded(pictures, tag)
        rows = [PictureTag(merchant_id=p.merchant_id, picture_id=p.pk, name=tag) for p in pictures]
        PictureTag.objects.bulk_create(rows, ignore_conflicts=True)
    return tag


def _refuse_crowded(pictures: Sequence[Picture], tag: str) -> None:
    others = PictureTag.objects.filter(picture__in=[p.pk for p in pictures]).exclude(name=tag)
    if others.values("picture").annotate(count=Count("pk")).filter(count__gte=MOST_TAGS).exists():
        words = _("A picture can carry %(most)d tags. Remove one first.") % {"most": MOST_TAGS}
        raise Refused("too_many_tags", words, field="tag")


@transaction.atomic
def tag_with_words(*, actor: Actor, pictures: Sequence[Picture], text: str) -> None:
    """What was typed into the tag field: one tag, or several with commas between them; all of them or none.

    Raises:
        Refused: as :func:`tag_pictures`.
    """
    for name in split_tags(text) or [text]:
        tag_pictures(actor=actor, pictures=pictures, name=name)


def untag_pictures(*, actor: Actor, pictures: Sequence[Picture], name: str) -> None:
    """Take a word off."""
    allow_write(actor)
    PictureTag.objects.filter(picture__in=[p.pk for p in pictures], name=clean_tag(name)).delete()


def clean_tag(name: str) -> str:
    """One to forty characters on one line, spaces tidied.

    Raises:
        Refused: ``tag_invalid``.
    """
    tag = " ".join(name.split())
    if not tag or len(tag) > LONGEST_TAG or not tag.isprintable():
        words = _("A tag has 1 to %(most)d characters.") % {"most": LONGEST_TAG}
        raise Refused("tag_invalid", words, field="tag")
    return tag


# --- the end of the bin --------------------------------------------------------------------------------------------
def purge_deleted(*, now: datetime | None = None, batch: int = PURGE_BATCH) -> int:
    """Remove for good what has lain in the bin for 30 days, its files as well; how many pictures went.

    Rows first: a file nobody refers to is collected later (collecting.py), a row without its file would break pages.
    """
    before = (now or timezone.now()) - KEPT_IN_BIN
    gone = 0
    while found := _due(before, batch):
        for merchant_id in {picture.merchant_id for picture in found}:
            with merchant_scope(merchant_id):
                gone += _purge([picture for picture in found if picture.merchant_id == merchant_id], before)
    return gone


def _purgeable(before: datetime) -> Any:
    """What was rejected stays while the shop does: the light table that shows it must not come back without it."""
    return Picture.objects.filter(deleted_at__lt=before).exclude(moderation=Moderation.REJECTED)


def _due(before: datetime, batch: int) -> list[Picture]:
    with unscoped("the bin of every merchant, emptied by its date"):
        rows = _purgeable(before).order_by("deleted_at")
        return list(rows.only("pk", "merchant_id", "shoot_id", "files")[:batch])


def _purge(pictures: list[Picture], before: datetime) -> int:
    keys = []
    with transaction.atomic():
        # Locked and read again: somebody may be restoring one this very moment.
        rows = _purgeable(before).select_for_update().filter(pk__in=[p.pk for p in pictures])
        doomed = list(rows.only("pk", "merchant_id", "shoot_id", "files"))
        keys += [file["key"] for picture in doomed for file in picture.files.values()]
        Picture.objects.filter(pk__in=[p.pk for p in doomed]).delete()
        keys += _emptied({picture.shoot_id for picture in doomed})
    with contextlib.suppress(StorageError):  # what stays behind is collected: no row refers to it any more
        storage.delete(*keys)
    log.info("removed %s pictures and %s files for good", len(doomed), len(keys))
    return len(doomed)


def _emptied(shoots: set[object]) -> list[str]:
    """The light tables of shoots that have no picture left; the row stays, for the history of what was ordered."""
    bare = Shoot.objects.filter(pk__in=shoots, status__in=ENDED, pictures=None).exclude(table={})
    keys = []
    for shoot in bare.select_for_update(of=("self",)):
        keys += [key for key in shoot.table.values() if key]
        Shoot.objects.filter(pk=shoot.pk).update(table={})
    return keys
