"""Who may see and change shoots and pictures: each id is looked up in the caller's scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.access import access_row, allow_write, ids_of
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
    wanted = ids_of(identities)
    if not wanted:
        raise Refused("nothing_chosen", _("Choose at least one picture."))
    if len(wanted) > MOST_AT_ONCE:
        raise Refused("too_many_chosen", _("Choose at most %(most)d pictures at once.") % {"most": MOST_AT_ONCE})
    found = list(Picture.objects.filter(pk__in=wanted).select_related("garment").order_by("-id"))
    if len(found) != len(wanted):
        raise NotHere
    return found


def photos_with_all() -> Any:
    """Photos with what an order of them reads: file, garment, what was seen on it and what the merchant says of it."""
    of_asset = ("asset__look", "asset__garment_mask", "asset__photo_skeleton")
    return GarmentPhoto.objects.select_related("asset", *of_asset, "garment")


def access_photo(actor: Actor, identity: Any) -> GarmentPhoto:
    """A photo to shoot from, see :func:`photos_with_all`."""
    found: GarmentPhoto = access_row(photos_with_all(), identity)
    return found
