"""Photos of garments: added, turned to another side, put in order, replaced, deleted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Merchant
from catalog.models import Asset, Garment, GarmentPhoto, View
from catalog.services import embeddings, garments
from catalog.services.assets import add_asset, lock_asset, release_asset
from catalog.services.garments import Details
from imodel_site.lib.errors import NotHere, Refused
from imodel_site.lib.said import said

MOST_PHOTOS = 40  # of one garment
# What shops call the sides in file names: "linen-shirt_back.jpg", "IMG_0412 正面.jpg".
SIDES: tuple[tuple[str, str], ...] = (
    (View.FRONT, r"front|face|正面|前"),
    (View.BACK, r"back|rear|背面|后|後"),
    (View.SIDE, r"side|left|right|侧面|側面|侧|側"),
    (View.DETAIL, r"detail|details|close|closeup|macro|label|细节|細節"),
)


def view_in(name: str) -> str:
    """The side that a file's name speaks of; empty when it says nothing."""
    words = re.split(r"[^\w]|_|\d", PurePath(name).stem.casefold())
    for view, pattern in SIDES:
        if any(re.fullmatch(pattern, word) for word in words):
            return view
    return ""


def name_of(file_name: str) -> str:
    """A garment's name from its photo's: 'linen-shirt_back.JPG' is 'Linen shirt'."""
    stem = PurePath(file_name.replace("\\", "/")).name.rsplit(".", 1)[0]
    words = [word for word in re.split(r"[\s_\-.]+", stem) if word]
    kept = [word for word in words if not view_in(word)] or words
    name = garments.clean_line(" ".join(kept), garments.NAME_LENGTH)
    return (name[:1].upper() + name[1:]) or _("New garment")


def add_garment_with_photo(*, merchant: Merchant, file: Any, file_name: str) -> tuple[GarmentPhoto, bool]:
    """A bare upload: a draft named after the file, or, for bytes that are known, the garment that has them.

    Returns:
        The photo, and whether its garment is new: an upload that is sent twice makes one garment.
    """
    asset, _new = add_asset(merchant=merchant, file=file)
    with transaction.atomic():
        asset = lock_asset(asset)
        known = GarmentPhoto.objects.select_related("garment").filter(asset=asset).order_by("id").first()
        if known is not None:
            return known, False
        details = Details(name_of(file_name), status=Garment.Status.DRAFT)
        garment = garments.create_garment(merchant=merchant, details=details)
        return _add(garment, asset, view_in(file_name) or View.FRONT), True


def add_photo(
    *, garment: Garment, merchant: Merchant, file: Any, view: str = "", file_name: str = ""
) -> tuple[GarmentPhoto, bool]:
    """A photo of a garment that is there; the same bytes twice are one photo.

    Args:
        view: which side; empty takes it from the file's name, else the first side that has no photo yet.
    """
    _check_view(view)
    asset, _new = add_asset(merchant=merchant, file=file)
    with transaction.atomic():
        asset = lock_asset(asset)
        known = GarmentPhoto.objects.filter(garment=garment, asset=asset).first()
        if known is not None:
            return known, False
        return _add(garment, asset, view or view_in(file_name) or _missing_view(garment)), True


def _check_view(view: str) -> None:
    if view and view not in View.values:
        raise Refused("view_unknown", _("Choose front, back, side or detail."), field="view")


def _missing_view(garment: Garment) -> str:
    there = set(garment.photos.values_list("view", flat=True))
    return next((view for view in View.values if view not in there), View.DETAIL)


def _add(garment: Garment, asset: Asset, view: str) -> GarmentPhoto:
    found = Garment.objects.select_for_update().filter(pk=garment.pk).first()
    if found is None:
        raise NotHere()
    count, last = garment.photos.count(), garment.photos.aggregate(last=Max("position"))["last"]
    if count >= MOST_PHOTOS:
        raise Refused("too_many_photos", said(gettext_noop("A garment has at most %(most)s photos."), most=MOST_PHOTOS))
    embeddings.want(asset)
    return GarmentPhoto.objects.create(
        merchant_id=garment.merchant_id,
        garment=garment,
        asset=asset,
        view=view,
        position=0 if last is None else last + 1,
    )


def set_view(*, photo: GarmentPhoto, view: str) -> GarmentPhoto:
    """Say which side it shows."""
    if not view:
        raise Refused("view_unknown", _("Choose front, back, side or detail."), field="view")
    _check_view(view)
    photo.view = view
    photo.save(update_fields=["view"])
    return photo


@transaction.atomic
def reorder(*, garment: Garment, ids: Sequence[Any]) -> None:
    """Put all the photos of a garment in this order; the first is its cover.

    Raises:
        NotHere: an id is not one of its photos.
        Refused: ``order_incomplete``: some are missing (another was added meanwhile), or named twice.
    """
    photos = {photo.pk: photo for photo in garment.photos.select_for_update()}
    try:
        wanted = [UUID(str(one)) for one in ids]
    except ValueError:
        raise NotHere() from None
    if not set(wanted) <= set(photos):
        raise NotHere()
    if len(wanted) != len(photos) or len(set(wanted)) != len(wanted):
        raise Refused("order_incomplete", _("The photos changed meanwhile. Load the page again."))
    for position, identity in enumerate(wanted):
        photos[identity].position = position
    GarmentPhoto.objects.bulk_update(photos.values(), ["position"])


def move(*, photo: GarmentPhoto, by: int) -> None:
    """One place forward (-1) or back (+1), for pages without scripts."""
    ids = list(photo.garment.photos.order_by("position", "id").values_list("pk", flat=True))
    here = ids.index(photo.pk)
    there = max(0, min(len(ids) - 1, here + by))
    ids.insert(there, ids.pop(here))
    reorder(garment=photo.garment, ids=ids)


def replace_photo(*, photo: GarmentPhoto, merchant: Merchant, file: Any) -> GarmentPhoto:
    """Another picture in the same place."""
    asset, _new = add_asset(merchant=merchant, file=file)
    with transaction.atomic():
        asset = lock_asset(asset)
        if GarmentPhoto.objects.filter(garment_id=photo.garment_id, asset=asset).exclude(pk=photo.pk).exists():
            raise Refused("photo_twice", _("This garment has this very photo already."), field="photos")
        old = photo.asset_id
        photo.asset = asset
        photo.save(update_fields=["asset"])
        embeddings.want(asset)
    if old != asset.pk:
        release_asset(old)
    return photo


def delete_photo(*, photo: GarmentPhoto) -> None:
    """Delete it, and its files when nothing else needs them."""
    asset_id = photo.asset_id
    photo.delete()
    release_asset(asset_id)
