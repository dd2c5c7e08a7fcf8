"""Putting pictures into the shop, taking them out, going back to the one before (docs/selling.md).

Files are made and stored first, rows come second; the files of a publication that has ended go after the commit.
Whoever changes a place locks its garment first, so that two who do it at once come one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.models import User
from accounts.models.moderation import Moderation
from accounts.scoping import merchant_scope, unscoped
from accounts.services import webhooks
from catalog.models import Garment
from generation.models import Picture, Review
from generation.moderation.states import refuse_rejected_picture
from imodel_site.lib.errors import Conflict, NotHere, Refused
from selling import sizes
from selling.addresses import sizes_of
from selling.models import Ended, Publication, shows

PLACES = 20  # of one garment
AT_ONCE = 24  # pictures whose files one request makes
SWEPT = 500


def publish(*, actor: Actor, picture: Picture, position: int | None) -> Publication:
    """Put an approved picture into its garment's place, in all sizes; what stood there before can be brought back.

    Args:
        position: from 1; None takes the first free place. A picture that stands there already stays as it is.

    Raises:
        Refused: ``position_out_of_range``, ``garment_missing``: the picture is of no garment of the catalog.
        Conflict: ``not_approved``, ``picture_in_bin``, ``picture_held_back``, ``picture_rejected``,
            ``already_published``: it stands in another place; ``places_full``.
    """
    allow_write(actor)
    if position is not None and not 1 <= position <= PLACES:
        words = _("Give a number from %(least)d to %(most)d.") % {"least": 1, "most": PLACES}
        raise Refused("position_out_of_range", words, field="position")
    _refuse(picture)
    there = _standing(picture, position)
    if there is not None:
        return there
    files = _store(picture)
    return _or_drop(files, lambda: _publish(actor, picture, position, files))


@dataclass
class Published:
    """What became of many pictures."""

    done: int = 0
    left_out: int = 0  # refused: their garment's places are full, say
    rest: int = 0  # not looked at: one request goes so far


def publish_many(*, actor: Actor, pictures: Sequence[Picture]) -> Published:
    """Put approved pictures into the first free places of their garments, as far as one request goes.

    Those that stand somewhere already are left where they are; one that is refused does not stop the others.
    """
    allow_write(actor)
    live = set(Publication.objects.filter(ended_at=None, picture__in=pictures).values_list("picture_id", flat=True))
    waiting = [picture for picture in pictures if picture.pk not in live]
    found = Published(rest=len(waiting))
    for picture in waiting:
        if found.done == AT_ONCE:
            break
        found.rest -= 1
        if _may_stand(actor, picture):
            found.done += 1
        else:
            found.left_out += 1
    return found


def _may_stand(actor: Actor, picture: Picture) -> bool:
    """Put it up; False when it is refused, before a file of it is made where that is plain."""
    if picture.garment_id is not None and _is_full(picture.garment_id):
        return False
    try:
        publish(actor=actor, picture=picture, position=None)
    except (Conflict, Refused):
        return False
    return True


def _is_full(garment_id: UUID) -> bool:
    return Publication.objects.filter(garment_id=garment_id, ended_at=None).count() >= PLACES


def _refuse(picture: Picture) -> None:
    refuse_rejected_picture(picture)
    if picture.garment_id is None:
        raise Refused("garment_missing", _("This picture belongs to no garment of the catalog."), field="picture")
    if picture.deleted_at is not None:
        raise Conflict("picture_in_bin", _("This picture is in the bin. Restore it first."), field="picture")
    if picture.moderation == Moderation.FLAGGED:
        raise Conflict("picture_held_back", _("Our staff will look at this picture first."), field="picture")
    if picture.review != Review.APPROVED:
        raise Conflict("not_approved", _("Approve this picture first."), field="picture")


def _standing(picture: Picture, position: int | None) -> Publication | None:
    """Where it stands already; None when it stands nowhere."""
    found: Publication | None = Publication.objects.filter(picture=picture, ended_at=None).first()
    if found is not None and position not in (None, found.position):
        words = _("This picture stands in place %(n)d already. Withdraw it there first.") % {"n": found.position}
        raise Conflict("already_published", words, field="position")
    return found


def _store(picture: Picture) -> dict[str, Any]:
    try:
        return sizes.store(picture)
    except (FileNotFoundError, KeyError) as error:
        raise NotHere from error


def _or_drop(files: dict[str, Any], write: Any) -> Publication:
    """The files stay only when a row names them."""
    try:
        made: Publication = write()
    except BaseException:
        sizes.drop(files)
        raise
    if made.files != files:
        sizes.drop(files)
    return made


@transaction.atomic
def _publish(actor: Actor, picture: Picture, position: int | None, files: dict[str, Any]) -> Publication:
    garment = _lock(picture.garment_id)
    now = Picture.objects.select_for_update().filter(pk=picture.pk).first()
    if now is None:
        raise NotHere
    _refuse(now)
    there = _standing(now, position)  # a twin was faster
    if there is not None:
        return there
    place = position or _free_place(garment)
    return _put_up(actor, now, garment, place, files, earlier=None)


def _lock(garment_id: Any) -> Garment:
    found: Garment | None = Garment.objects.select_for_update().filter(pk=garment_id).first()
    if found is None:
        raise NotHere
    return found


def _free_place(garment: Garment) -> int:
    taken = set(Publication.objects.filter(garment=garment, ended_at=None).values_list("position", flat=True))
    free = next((place for place in range(1, PLACES + 1) if place not in taken), None)
    if free is None:
        words = _("All %(most)d places of this garment are taken. Choose the one that is to be replaced.")
        raise Conflict("places_full", words % {"most": PLACES}, field="position")
    return free


def _put_up(
    actor: Actor, picture: Picture, garment: Garment, place: int, files: dict[str, Any], *, earlier: Publication | None
) -> Publication:
    """End what stands there, and stand in its place; ``earlier`` is what a roll back came from and goes on behind."""
    last = _history(garment, place).first()
    if last is not None and last.ended_at is None:
        _end(last, Ended.ROLLED_BACK if earlier else Ended.REPLACED, actor.user)
    before = earlier.earlier if earlier else (last.pk if last else None)
    made = Publication.objects.create(
        garment=garment, position=place, picture=picture, files=files, earlier=before, published_by=actor.user
    )
    _tell("publication.published", made, urls=sizes_of(made))
    return made


def _history(garment: Garment, place: int) -> Any:
    rows = Publication.objects.filter(garment=garment, position=place)
    return rows.select_related("picture", "garment").order_by("-id")


def _end(publication: Publication, how: str, by: User | None) -> bool:
    """False when it had ended already. Its files go when this is committed."""
    rows = Publication.objects.filter(pk=publication.pk, ended_at=None)
    if not rows.update(ended_at=Now(), ended_as=how, ended_by=by, files={}):
        return False
    transaction.on_commit(partial(sizes.drop, publication.files))
    return True


def _tell(type_: str, publication: Publication, **more: Any) -> None:
    data = {
        "id": str(publication.pk),
        "garment": str(publication.garment_id),
        "sku": publication.garment.sku,
        "position": publication.position,
        "picture": str(publication.picture_id) if publication.picture_id else None,
        **more,
    }
    webhooks.emit(merchant_id=publication.merchant_id, type=type_, subject_id=publication.pk, data=data)


# --- out again --------------------------------------------------------------------------------------------------------
@transaction.atomic
def withdraw(*, actor: Actor, publication: Publication) -> None:
    """Take it out of the shop: its addresses are dead when this returns. One that has ended stays as it is."""
    allow_write(actor)
    _take_out(publication, Ended.WITHDRAWN, actor.user)


def _take_out(publication: Publication, how: str, by: User | None) -> bool:
    _lock(publication.garment_id)
    fresh = Publication.objects.select_related("garment").get(pk=publication.pk)
    ended = _end(fresh, how, by)
    if ended:
        _tell("publication.withdrawn", fresh, reason=how)
    return ended


def roll_back(*, actor: Actor, garment: Garment, position: int) -> Publication:
    """Bring back the picture that stood in this place before; or the last one, where none stands there now.

    Raises:
        Conflict: ``nothing_earlier``: there was none that may still be shown. ``changed_meanwhile``.
    """
    allow_write(actor)
    last = _history(garment, position).first()
    back = _back_to(last)
    if last is None or back is None:
        raise Conflict("nothing_earlier", _("Nothing stood here before that could be shown again."))
    files = _store(back.picture)
    return _or_drop(files, lambda: _roll_back(actor, last, back, files))


def can_roll_back(publication: Publication) -> bool:
    """Whether its place has something to go back to; its picture is read."""
    return _back_to(publication) is not None


def _back_to(last: Publication | None) -> Publication | None:
    """The publication whose picture comes next: of a place that is empty, the last one that may be shown."""
    seen = last.picture_id if last is not None and last.ended_at is None else None
    found = _before(last) if seen else last
    while found is not None and (found.picture_id == seen or not shows(found.picture)):
        found = _before(found)
    return found


def _before(publication: Publication | None) -> Publication | None:
    if publication is None or publication.earlier is None:
        return None
    rows = Publication.objects.select_related("picture", "garment")
    found: Publication | None = rows.filter(pk=publication.earlier).first()
    return found


@transaction.atomic
def _roll_back(actor: Actor, last: Publication, back: Publication, files: dict[str, Any]) -> Publication:
    garment = _lock(last.garment_id)
    newest = _history(garment, last.position).first()
    picture = Picture.objects.select_for_update().filter(pk=back.picture_id).first()
    if newest is None or newest.pk != last.pk or newest.ended_at != last.ended_at or not shows(picture):
        raise Conflict("changed_meanwhile", _("Somebody changed this place just now. Look again."))
    _standing(picture, last.position)
    return _put_up(actor, picture, garment, last.position, files, earlier=back)


# --- what may not be shown any more -----------------------------------------------------------------------------------
def end_gone() -> int:
    """End what strangers can not see any more because its picture went or was rejected; how many. The sweep calls it.

    Visitors do not wait for this: what may be seen is asked in each request.
    """
    gone = Q(picture=None) | Q(picture__deleted_at__isnull=False) | Q(picture__review=Review.REJECTED)
    gone |= Q(picture__moderation=Moderation.REJECTED)
    with unscoped("publications of every merchant whose pictures went"):
        found = list(Publication.objects.filter(gone, ended_at=None).order_by("id")[:SWEPT])
    return sum(_remove(publication) for publication in found)


def _remove(publication: Publication) -> bool:
    with merchant_scope(publication.merchant_id), transaction.atomic():
        fresh = Publication.objects.select_related("picture").filter(pk=publication.pk).first()
        return fresh is not None and not shows(fresh.picture) and _take_out(fresh, Ended.REMOVED, None)
