"""What the Shoot page offers: recent photos, the layers over the chosen one, and cards to choose from."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import access_row
from accounts.actors import Actor
from accounts.models.moderation import Moderation
from catalog.models import GarmentPhoto, Persona, Pose, Scene
from generation import pricing, trained
from generation.access import access_photo, photos_with_all
from generation.forms import BEST_OF, KINDS, NO_ADAPTER, PARTS, crop_choices, outfit_choices
from generation.models import Kind, Picture, Shoot
from generation.orders import (
    ADVISED,
    FIRST_OUTFIT,
    MOST,
    OWN,
    Choices,
    corrected_pose,
    first,
    own_mask,
    seen_parts,
)
from imodel_site.lib.jobs.model import Status
from imodel_site.lib.signing import media_url
from training.models import AdapterVersion

PHOTOS = 12
LIBRARY = 60
LATEST = 8


@dataclass(frozen=True)
class Card:
    """One picture card."""

    value: str
    label: str
    image: str = ""
    checked: bool = False
    note: str = ""


@dataclass(frozen=True)
class Layers:
    """What was seen on the chosen photo: masks by part, the skeleton, and whether somebody is still looking."""

    photo: str
    masks: Mapping[str, str]
    skeleton: str
    waiting: bool
    failed: bool


@dataclass(frozen=True)
class Latest:
    """What was made last, and what is being made, so that the page never looks as if nothing had happened."""

    running: Shoot | None
    pictures: Sequence[tuple[Picture, str, str]]


def latest() -> Latest:
    """The newest pictures, each with its small image and its name, and the shoot that runs or is next."""
    active = Shoot.objects.filter(status__in=(Status.RUNNING, Status.QUEUED)).order_by("-status", "id")
    shown = Picture.objects.filter(deleted_at=None).exclude(moderation=Moderation.REJECTED)
    rows = shown.select_related("garment").order_by("-id")[:LATEST]
    pictures = [(row, media_url(row, "small"), row.garment.name if row.garment else _("Picture")) for row in rows]
    return Latest(active.first(), pictures)


def page(actor: Actor, values: Mapping[str, Any]) -> dict[str, Any]:
    """The context of the page; ``values`` are what was chosen so far, the rest is preselected.

    Raises:
        NotHere: the photo asked for is missing or another merchant's.
    """
    photos = _photos(actor, values.get("photo"))
    chosen = photos[0] if photos and not values.get("photo") else _chosen(photos, values.get("photo"))
    base = Choices()
    kind = values.get("kind") or base.kind
    worn = trained.in_use(chosen)
    return {
        "once": secrets.token_urlsafe(18),
        "latest": latest(),
        "photos": [_photo_card(photo, chosen) for photo in photos],
        "photo": chosen,
        "layers": layers(chosen) if chosen else None,
        "kind": kind,
        "kinds": [Card(value, str(label), checked=value == kind) for value, label in KINDS],
        "parts": _plain(_parts(chosen), values.get("part") or base.part),
        "personas": _cards(Persona, values.get("persona")),
        "scenes": _cards(Scene, values.get("scene")),
        "poses": _poses(values.get("pose"), kind),
        "crops": [_crop(card) for card in _plain(crop_choices(), values.get("crop") or base.crop)],
        "outfits": _outfits(worn, values.get("outfit") or ""),
        "adapters": _adapters(worn, str(values.get("adapter") or "")),
        "adapter_weight": values.get("adapter_weight"),
        "counts": range(1, MOST + 1),
        "count": values.get("count") or base.count,
        "price": pricing.price_of(_counted(base, values)),
        "best_of": _plain([(str(n), label) for n, label in BEST_OF], str(values.get("best_of") or base.best_of)),
    }


def _outfits(worn: Sequence[AdapterVersion], chosen: str) -> list[Card]:
    """Empty is the trained garment that is chosen, or the photo's own; without any it is the first preset."""
    presets = outfit_choices()
    if not worn:
        return _plain(presets, chosen or FIRST_OUTFIT)
    return _plain([("", _("As trained")), *presets], chosen)


def _adapters(worn: Sequence[AdapterVersion], chosen: str) -> list[Card]:
    """What garments were trained for, the photo's own first; none of it when there is none."""
    found = [Card(str(one.adapter_id), trained.title_of(one), note=f"{one.weight:g}") for one in worn]
    offered = [Card(ADVISED, _("As advised")), Card(NO_ADAPTER, _("None")), *found] if found else []
    return [replace(card, checked=card.value == chosen) for card in offered]


def _counted(base: Choices, values: Mapping[str, Any]) -> Choices:
    """With as many pictures, and candidates for each, as were chosen: what the price depends on."""
    return replace(base, count=values.get("count") or base.count, best_of=values.get("best_of") or base.best_of)


def _parts(photo: GarmentPhoto | None) -> list[tuple[str, Any]]:
    """What can be kept of a photo; what was marked by hand only where something was."""
    marked = photo is not None and own_mask(photo) is not None
    return [(name, label) for name, label in PARTS.items() if marked or name != OWN]


def _photos(actor: Actor, wanted: Any) -> list[GarmentPhoto]:
    """The newest photos of garments that are not archived, the one asked for among them."""
    rows = photos_with_all().exclude(asset__moderation=Moderation.REJECTED).order_by("-id")
    found = list(rows.exclude(garment__status="archived")[:PHOTOS])
    if wanted and not any(str(photo.pk) == str(wanted) for photo in found):
        asked = access_photo(actor, wanted)
        found = found if asked.asset.rejected else [asked, *found[: PHOTOS - 1]]
    return found


def _chosen(photos: Sequence[GarmentPhoto], wanted: Any) -> GarmentPhoto | None:
    return next((photo for photo in photos if str(photo.pk) == str(wanted)), None)


def _photo_card(photo: GarmentPhoto, chosen: GarmentPhoto | None) -> Card:
    image = media_url(photo.asset, "small")
    return Card(str(photo.pk), photo.garment.name, image, photo == chosen, photo.get_view_display())


def layers(photo: GarmentPhoto) -> Layers:
    """The photo with what was seen on it."""
    seen = seen_parts(photo)
    look = seen["look"]
    masks = {part: media_url(look, f"mask-{part}") for part in seen["parts"]}
    if seen["best"] in masks:
        masks["auto"] = masks[seen["best"]]
    own = own_mask(photo)
    if own is not None:
        masks[OWN] = masks["auto"] = media_url(own, own.variant)
    return Layers(
        media_url(photo.asset, "large"),
        masks,
        _skeleton(photo, seen),
        waiting=look is None or look.status in (Status.QUEUED, Status.RUNNING),
        failed=look is not None and look.status in (Status.FAILED, Status.CANCELLED),
    )


def _skeleton(photo: GarmentPhoto, seen: Mapping[str, Any]) -> str:
    """Where the skeleton's picture is; what the merchant corrected is drawn when it is asked for."""
    if corrected_pose(photo):
        return reverse("catalog:skeleton_layer", args=[photo.pk])
    return media_url(seen["look"], "skeleton") if seen["skeleton"] else ""


def _plain(choices: Sequence[tuple[str, Any]], chosen: str) -> list[Card]:
    return [Card(value, str(label), checked=value == chosen) for value, label in choices]


def _crop(card: Card) -> Card:
    return Card(card.value, card.label, static(f"ui/img/crops/{card.value}.svg"), card.checked)


def _cards(library: Any, chosen: Any) -> list[Card]:
    """The merchant's own first, then the shared ones; checked is what an order takes when nothing was chosen."""
    own_first = (F("merchant").asc(nulls_last=True), "position", "id")
    rows = list(library.objects.select_related("asset").order_by(*own_first)[:LIBRARY])
    wanted = str(chosen or (first(library).pk if rows else ""))
    if chosen and not any(str(row.pk) == wanted for row in rows):
        rows.insert(0, access_row(library.objects.select_related("asset"), chosen))
    return [Card(str(row.pk), row.label, card_image(row), str(row.pk) == wanted) for row in rows]


def _poses(chosen: Any, kind: str) -> list[Card]:
    cards = _cards(Pose, chosen) if chosen else [_unchecked(card) for card in _cards(Pose, None)]
    kept = Card("", _("As in photo"), static("ui/img/crops/as-photographed.svg"), not chosen)
    return [kept, *cards] if kind != Kind.POSE or not chosen else [*cards]


def _unchecked(card: Card) -> Card:
    return Card(card.value, card.label, card.image)


def card_image(row: Any) -> str:
    """The picture of a library entry: the merchant's own, or the one that came with iModel."""
    if row.asset_id:
        return media_url(row.asset, "small")
    try:
        return static(row.picture) if row.picture else ""
    except ValueError:  # the manifest does not know it: the pictures were not collected
        return ""
