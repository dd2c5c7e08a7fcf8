"""Data sets: put together from a garment's photos and uploads, changed picture by picture or all at once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.access import allow_write
from accounts.actors import Actor
from accounts.models.moderation import Moderation
from catalog.models import Asset, Garment, GarmentPhoto
from catalog.services.assets import add_asset, lock_asset, release_asset
from imodel_site.lib.errors import Conflict, Refused
from studio.dataset.types import MOST_CAPTION, check_trigger
from studio.errors import InputError
from training.models import PictureKind, TrainingPicture, TrainingSet, TrainingSource, View

MOST_PICTURES = 60
VIEWS = {"front": View.FRONT, "side": View.SIDE, "back": View.BACK}
LETTERS, DIGITS = "bcdfghjkmnpqrstvwxz", "123456789"


def draw_trigger() -> str:
    """A word that no language has, so that nothing is known of it but this garment: such as ``zkv17``."""
    return "".join(secrets.choice(LETTERS) for _n in range(3)) + "".join(secrets.choice(DIGITS) for _n in range(2))


@transaction.atomic
def create_set(
    *, actor: Actor, garment: Garment, photos: Sequence[GarmentPhoto] | None = None, trigger: str = ""
) -> TrainingSet:
    """A set of these photos, or of all that the garment has; details are there, but left out.

    Raises:
        Refused: ``trigger_invalid``, ``too_many_pictures``.
    """
    allow_write(actor)
    made: TrainingSet = TrainingSet.objects.create(
        merchant=actor.merchant,
        garment=garment,
        trigger=check_word(trigger) or _trigger_of(garment),
        created_by=actor.user,
    )
    rows = GarmentPhoto.objects.filter(garment=garment).exclude(asset__moderation=Moderation.REJECTED)
    found = list(rows.select_related("asset").order_by("position", "id")) if photos is None else list(photos)
    add_photos(actor=actor, found=made, photos=found)
    return made


def check_word(word: str) -> str:
    """A trigger word, or nothing at all.

    Raises:
        Refused: ``trigger_invalid``.
    """
    try:
        return check_trigger(word) if word else ""
    except InputError as error:
        words = _("A trigger word is 1 to 32 small letters, digits and inner hyphens, such as zkv17.")
        raise Refused(error.code, words, field="trigger") from error


def _trigger_of(garment: Garment) -> str:
    """The word that the garment has already, so that its captions and prompts stay the same."""
    last = TrainingSet.objects.filter(garment=garment).order_by("-id").values_list("trigger", flat=True).first()
    return str(last or draw_trigger())


def add_photos(*, actor: Actor, found: TrainingSet, photos: Sequence[GarmentPhoto]) -> list[TrainingPicture]:
    """Photos of the catalog join a set; those that are in it already are left alone.

    Raises:
        Refused: ``too_many_pictures``.
    """
    allow_write(actor)
    there = set(TrainingPicture.objects.filter(set=found, crop=None).values_list("asset_id", flat=True))
    return _append(found, [_of_photo(photo) for photo in photos if photo.asset_id not in there])


def _of_photo(photo: GarmentPhoto) -> dict[str, Any]:
    view = VIEWS.get(photo.view, View.UNSURE)
    detail = photo.view not in VIEWS
    return {"asset": photo.asset, "photo": photo, "view": view, "view_by_hand": not detail, "left_out": detail}


def add_upload(
    *, actor: Actor, found: TrainingSet, file: Any, view: str = "", kind: str = PictureKind.GARMENT
) -> TrainingPicture:
    """A picture that is in no garment's photos joins a set; the same bytes twice are one picture.

    Raises:
        Refused: the file is no picture that can be taken (``photo_...``), ``quota_full``, ``too_many_pictures``.
    """
    allow_write(actor)
    fields = {"view": _view(view) if view else View.UNSURE, "view_by_hand": bool(view), "kind": _kind(kind)}
    asset, _new = add_asset(merchant=actor.merchant, file=file)
    try:
        return _join(found, asset, fields)
    except Refused:
        release_asset(asset.pk)  # unless something else needs it
        raise


@transaction.atomic
def _join(found: TrainingSet, asset: Asset, fields: Mapping[str, Any]) -> TrainingPicture:
    asset = lock_asset(asset)
    known: TrainingPicture | None = (
        TrainingPicture.objects.filter(set=found, asset=asset, crop=None).select_related("asset").first()
    )
    return known or _append(found, [{"asset": asset, **fields}])[0]


def _append(found: TrainingSet, items: Sequence[Mapping[str, Any]]) -> list[TrainingPicture]:
    """Under the set's lock: two at once do not count the same places."""
    with transaction.atomic():
        lock(found)
        rows = TrainingPicture.objects.filter(set=found)
        if rows.count() + len(items) > MOST_PICTURES:
            words = _("A set has at most %(most)d pictures. Remove some first.") % {"most": MOST_PICTURES}
            raise Refused("too_many_pictures", words, field="pictures")
        last = rows.aggregate(last=Max("position"))["last"]
        start = 0 if last is None else last + 1
        made = [
            TrainingPicture.objects.create(merchant_id=found.merchant_id, set=found, position=start + n, **item)
            for n, item in enumerate(items)
        ]
        touch(found)
    return made


def lock(found: TrainingSet) -> TrainingSet:
    """The set as it is now, kept as it is until the transaction ends; always locked before its pictures."""
    locked: TrainingSet = TrainingSet.objects.select_for_update().get(pk=found.pk)
    return locked


def touch(found: TrainingSet) -> None:
    """What was looked at is not what is there any more."""
    TrainingSet.objects.filter(pk=found.pk).update(edition=F("edition") + 1, updated_at=Now())


@transaction.atomic
def change_picture(
    *,
    actor: Actor,
    picture: TrainingPicture,
    caption: str | None = None,
    view: str | None = None,
    kind: str | None = None,
    left_out: bool | None = None,
    held_out: bool | None = None,
) -> None:
    """Change what is given of one picture.

    Raises:
        Refused: ``caption_invalid``, ``view_unknown``, ``kind_unknown``.
    """
    allow_write(actor)
    fields: dict[str, Any] = {}
    if caption is not None and (said := _caption(caption)) != picture.caption:
        fields |= {"caption": said, "caption_by_hand": bool(said)}
    if view is not None and view != picture.view:
        fields |= {"view": _view(view), "view_by_hand": True}
    if kind is not None:
        fields |= {"kind": _kind(kind)}
    fields |= {name: value for name, value in (("left_out", left_out), ("held_out", held_out)) if value is not None}
    if fields and any(getattr(picture, name) != value for name, value in fields.items()):
        lock(picture.set)
        TrainingPicture.objects.filter(pk=picture.pk).update(**fields)
        touch(picture.set)


def _caption(text: str) -> str:
    """One line.

    Raises:
        Refused: ``caption_invalid``.
    """
    said = " ".join(text.split())
    if len(said) > MOST_CAPTION or not said.isprintable():
        words = _("A caption is one line of at most %(most)d characters.") % {"most": MOST_CAPTION}
        raise Refused("caption_invalid", words, field="caption")
    return said


def _view(value: str) -> str:
    if value not in View.values:
        raise Refused("view_unknown", _("Choose front, side, back or not sure."), field="view")
    return value


def _kind(value: str) -> str:
    if value not in PictureKind.values:
        raise Refused("kind_unknown", _("Choose one of those that are offered."), field="kind")
    return value


@transaction.atomic
def edit_captions(
    *, actor: Actor, pictures: Sequence[TrainingPicture], find: str = "", replace: str = "", append: str = ""
) -> int:
    """Change many captions at once: put one text in the place of another, add words at the end; how many changed.

    Raises:
        Refused: ``caption_invalid``, ``nothing_to_do`` when neither is given.
    """
    allow_write(actor)
    if not find and not append.strip():
        words = _("Say which text is to be replaced, or which words are to be added.")
        raise Refused("nothing_to_do", words, field="find")
    changed = 0
    for picture in pictures:
        said = picture.caption.replace(find, replace) if find else picture.caption
        said = f"{said}, {append.strip()}" if append.strip() and said else said or append.strip()
        if _caption(said) != picture.caption:
            change_picture(actor=actor, picture=picture, caption=said)
            changed += 1
    return changed


@transaction.atomic
def remove_picture(*, actor: Actor, picture: TrainingPicture) -> None:
    """Out of the set; an upload that nothing else needs goes for good."""
    allow_write(actor)
    found, asset_id = lock(picture.set), picture.asset_id
    picture.delete()
    touch(found)
    release_asset(asset_id)


@transaction.atomic
def accept_crops(
    *, actor: Actor, picture: TrainingPicture, crops: Sequence[Mapping[str, Any]]
) -> list[TrainingPicture]:
    """Cut a picture into what the preflight proposed: each part a picture of its own, the whole one left out.

    Args:
        crops: ``{"box": [left, top, right, bottom], "mask": storage key or ""}``, of a preflight of this very set.

    Raises:
        Conflict: ``no_crops``: none were proposed, or they were accepted before.
    """
    allow_write(actor)
    lock(picture.set)
    boxes = [list(crop["box"]) for crop in crops]
    there = TrainingPicture.objects.filter(set=picture.set, asset=picture.asset).exclude(crop=None)
    if not boxes or any(row.crop in boxes for row in there):
        raise Conflict("no_crops", _("No parts are proposed for this picture any more. Check the set again."))
    items = [
        {"asset": picture.asset, "photo": picture.photo, "crop": box, "mask_key": crop.get("mask") or ""}
        for box, crop in zip(boxes, crops, strict=True)
    ]
    TrainingPicture.objects.filter(pk=picture.pk).update(left_out=True)
    return _append(picture.set, items)


@transaction.atomic
def set_trigger(*, actor: Actor, found: TrainingSet, trigger: str) -> None:
    """Another word for the garment; captions that hold the old one get the new one.

    Raises:
        Refused: ``trigger_invalid``.
    """
    allow_write(actor)
    word = check_word(trigger)
    if not word or word == found.trigger:
        return
    lock(found)
    alone = re.compile(rf"(?<![\w-]){re.escape(found.trigger)}(?![\w-])")
    for picture in TrainingPicture.objects.filter(set=found, caption__contains=found.trigger):
        said = alone.sub(word, picture.caption)
        TrainingPicture.objects.filter(pk=picture.pk).update(caption=said)
    TrainingSet.objects.filter(pk=found.pk).update(trigger=word)
    touch(found)


@transaction.atomic
def set_mirrored(*, actor: Actor, found: TrainingSet, mirrored: bool) -> None:
    """Whether mirror images are learned too: not of a garment with writing, or with a pocket on one side."""
    allow_write(actor)
    if TrainingSet.objects.filter(pk=found.pk).exclude(mirrored=mirrored).update(mirrored=mirrored):
        touch(found)


@transaction.atomic
def delete_set(*, actor: Actor, found: TrainingSet) -> None:
    """The set goes; what was trained from it keeps its own record."""
    allow_write(actor)
    assets = set(TrainingPicture.objects.filter(set=found).values_list("asset_id", flat=True))
    found.delete()
    for asset_id in assets:
        release_asset(asset_id)


def needs_asset(asset: Asset) -> bool:
    """Whether a set or a training still refers to an upload (``catalog.services.assets`` asks)."""
    return TrainingPicture.objects.filter(asset=asset).exists() or TrainingSource.objects.filter(asset=asset).exists()
