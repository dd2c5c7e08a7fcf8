"""What a moderation state means for files and orders: who gets to see a light table, and what may be made of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from accounts.models.moderation import HIDDEN_FROM_STRANGERS, Moderation
from catalog.models import Asset
from generation.models import Picture, Shoot
from imodel_site.lib.errors import Conflict
from training.models import AdapterVersion
from training.services import adapters

PLACES = ("order.photo", "photo")  # where an order and a replay keep their photo


def photo_key(order: Mapping[str, Any]) -> str:
    """Storage key of the photo that an order starts from; empty without one."""
    files = {**order.get("origin", {}).get("files", {}), **order.get("files", {})}
    return next((files[place] for place in PLACES if place in files), "")


def source_of(shoot: Shoot) -> Asset | None:
    """The upload that a shoot was made from, also when its photo was replaced since; None without one."""
    key = photo_key(shoot.order)
    if not key:
        return None
    photo = shoot.photo
    if photo is not None and photo.asset.key == key:
        return photo.asset
    found: Asset | None = Asset.objects.filter(key=key).first()
    return found


def table_open(shoot: Shoot, variant: str, bearer: bool) -> bool:
    """Whether a file of the light table may be handed out: all of them show the photo, the sheet the pictures too."""
    source = source_of(shoot)
    if source is not None and not source.open_to(bearer=bearer):
        return False
    hidden = HIDDEN_FROM_STRANGERS if bearer else (Moderation.REJECTED,)
    return variant != "sheet" or not Picture.objects.filter(shoot=shoot, moderation__in=hidden).exists()


def refuse_rejected_photo(asset: Asset | None) -> None:
    """Raise Conflict ``photo_rejected``: nothing is made from it any more."""
    if asset is not None and asset.rejected:
        words = _("This photo was removed by moderation. Choose another one.")
        raise Conflict("photo_rejected", words, field="photo")


def refuse_rejected_source(shoot: Shoot) -> None:
    """As :func:`refuse_rejected_photo`, for what is made again from an order, and for what its adapter learned from."""
    refuse_rejected_photo(source_of(shoot))
    if shoot.adapter_version is not None:
        version = AdapterVersion.objects.select_related("training").filter(pk=shoot.adapter_version).first()
        if version is not None:
            adapters.refuse_withheld(version)


def refuse_rejected_picture(picture: Picture) -> None:
    """Raise Conflict ``picture_rejected``: it is neither handed out nor made again."""
    if picture.rejected:
        raise Conflict("picture_rejected", _("This picture was removed by moderation. Open it to see why."))


def hold_source(shoot: Shoot) -> None:
    """Refuse a rejected photo, and keep it from being rejected before the transaction ends.

    So either the pictures are there when staff reject their photo, and are flagged with it, or they are never written.
    """
    key = photo_key(shoot.order)
    if key:
        refuse_rejected_photo(Asset.objects.select_for_update().filter(key=key).first())
