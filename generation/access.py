"""Who may see and change shoots and pictures: each id is looked up in the caller's scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from accounts.access import access_row, allow_write
from accounts.actors import Actor
from catalog.models import GarmentPhoto
from generation.models import Batch, Picture, Shoot
from imodel_site.lib.errors import NotHere, Refused

MOST_AT_ONCE = 500


def access_shoot(actor: Actor, identity: Any, *, write: bool) -> Shoot:
    """A shoot of the actor's merchant."""
    if write:
        allow_write(actor)
    found: Shoot = access_row(Shoot.objects.select_related("garment", "persona", "scene", "pose", "photo"), identity)
    return found


def access_batch(actor: Actor, identity: Any, *, write: bool) -> Batch:
    """A batch of the actor's merchant."""
    if write:
        allow_write(actor)
    found: Batch = access_row(Batch.objects.all(), identity)
    return found


def access_picture(actor: Actor, identity: Any, *, write: bool) -> Picture:
    """A picture of the actor's merchant, the ones in the bin as well."""
    if write:
        allow_write(actor)
    found: Picture = access_row(Picture.objects.select_related("shoot", "garment", "persona"), identity)
    return found


def access_pictures(actor: Actor, identities: Iterable[Any], *, write: bool) -> list[Picture]:
    """Several pictures; one that is missing or another merchant's refuses the whole call.

    Raises:
        NotHere: one of them is not there.
        Refused: ``nothing_chosen``, ``too_many_chosen``.
    """
    from django.utils.translation import gettext as _

    if write:
        allow_write(actor)
    wanted = _ids(identities)
    if not wanted:
        raise Refused("nothing_chosen", _("Choose at least one picture."))
    if len(wanted) > MOST_AT_ONCE:
        raise Refused("too_many_chosen", _("Choose at most %(most)d pictures at once.") % {"most": MOST_AT_ONCE})
    found = list(Picture.objects.filter(pk__in=wanted).select_related("garment").order_by("-id"))
    if len(found) != len(wanted):
        raise NotHere
    return found


def _ids(identities: Iterable[Any]) -> set[UUID]:
    try:
        return {value if isinstance(value, UUID) else UUID(str(value)) for value in identities}
    except ValueError:
        raise NotHere from None


def access_photo(actor: Actor, identity: Any) -> GarmentPhoto:
    """A photo to shoot from, with its file, its garment and what was seen on it."""
    found: GarmentPhoto = access_row(GarmentPhoto.objects.select_related("asset", "asset__look", "garment"), identity)
    return found
