"""Garments: made, changed, archived, deleted, singly and many at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import Merchant
from catalog.models import Category, Garment, GarmentPhoto, GarmentTag
from catalog.services.assets import release_asset
from imodel_site.lib.errors import Conflict, NotHere, Refused

NAME_LENGTH, SKU_LENGTH, COLOUR_LENGTH, TAG_LENGTH, MOST_TAGS = 200, 80, 60, 40, 30
MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Details:
    """What a merchant says of a garment. ``tags`` None leaves them as they are."""

    name: str
    sku: str = ""
    category: str = Category.OTHER
    colour: str = ""
    status: str = Garment.Status.ACTIVE
    tags: tuple[str, ...] | None = None


def fold(text: str) -> str:
    """As searching sees it: case, width and accents aside."""
    spread = unicodedata.normalize("NFKD", text)
    return "".join(mark for mark in spread if not unicodedata.combining(mark)).casefold()


def clean_line(text: str, most: int) -> str:
    """One line without control characters."""
    shown = "".join(mark if mark.isprintable() else " " for mark in text)
    return " ".join(shown.split())[:most].rstrip()


def split_tags(text: str) -> tuple[str, ...]:
    """What was typed into one field, at the commas of any script, semicolons and line ends; empty parts left out."""
    return tuple(part for part in re.split(r"[,，、;；\n]", text) if part.strip())


def clean_tags(words: Iterable[str]) -> tuple[str, ...]:
    """Distinct tags, in their order.

    Raises:
        Refused: ``too_many_tags``.
    """
    found = tuple(dict.fromkeys(tag for word in words if (tag := clean_line(word, TAG_LENGTH).casefold())))
    if len(found) > MOST_TAGS:
        raise Refused("too_many_tags", _("At most %(most)s tags fit.") % {"most": MOST_TAGS}, field="tags")
    return found


def create_garment(*, merchant: Merchant, details: Details) -> Garment:
    """A new garment.

    Raises:
        Refused: ``name_missing``, ``sku_taken``, ``too_many_tags``.
    """
    garment = Garment(merchant=merchant)
    return _write(garment, details)


def update_garment(*, garment: Garment, details: Details) -> Garment:
    """Write everything that a merchant says of it; raises as :func:`create_garment`."""
    return _write(garment, details)


def same(garment: Garment, details: Details) -> bool:
    """Whether writing these details would change nothing."""
    told = (details.name, details.sku, details.colour)
    longest = (NAME_LENGTH, SKU_LENGTH, COLOUR_LENGTH)
    lines = tuple(clean_line(text, most) for text, most in zip(told, longest, strict=True))
    if (garment.name, garment.sku, garment.colour) != lines:
        return False
    if (garment.category, garment.status) != (details.category, details.status):
        return False
    return details.tags is None or set(clean_tags(details.tags)) == set(_tags(garment))


def _write(garment: Garment, details: Details) -> Garment:
    garment.name = clean_line(details.name, NAME_LENGTH)
    if not garment.name:
        raise Refused("name_missing", _("Give the garment a name."), field="name")
    garment.sku = clean_line(details.sku, SKU_LENGTH)
    garment.category, garment.status = details.category, details.status
    garment.colour = clean_line(details.colour, COLOUR_LENGTH)
    tags = None if details.tags is None else clean_tags(details.tags)
    with transaction.atomic():
        _save(garment, tags if tags is not None else _tags(garment))
        if tags is not None:
            _set_tags(garment, tags)
    return garment


def _tags(garment: Garment) -> tuple[str, ...]:
    return () if garment._state.adding else tuple(garment.tags.values_list("name", flat=True))


def _save(garment: Garment, tags: Sequence[str]) -> None:
    garment.search = fold(" ".join(filter(None, (garment.name, garment.sku, garment.colour, *tags))))
    try:
        with transaction.atomic():
            garment.save()
    except IntegrityError as error:
        words = _("Another garment has the SKU %(sku)s. Each garment needs its own.") % {"sku": garment.sku}
        raise Conflict("sku_taken", words, field="sku") from error


def _set_tags(garment: Garment, tags: Sequence[str]) -> None:
    old = set(garment.tags.values_list("name", flat=True))
    garment.tags.filter(name__in=old - set(tags)).delete()
    GarmentTag.objects.bulk_create(
        [GarmentTag(merchant_id=garment.merchant_id, garment=garment, name=tag) for tag in tags if tag not in old],
        ignore_conflicts=True,
    )


def rename(*, garment: Garment, name: str) -> Garment:
    """Another name, everything else as it is."""
    details = Details(name, garment.sku, garment.category, garment.colour, garment.status)
    return _write(garment, details)


def set_status(*, garments: Sequence[Garment], status: str) -> int:
    """Archive, or put back into use; how many changed."""
    if status not in Garment.Status.values:
        raise Refused("status_unknown", _("Choose draft, active or archived."), field="status")
    chosen = Garment.objects.filter(pk__in=[row.pk for row in garments])
    return int(chosen.exclude(status=status).update(status=status, updated_at=Now()))


def set_category(*, garments: Sequence[Garment], category: str) -> int:
    """The same category for many; how many changed."""
    if category not in Category.values:
        raise Refused("category_unknown", _("Choose one of the categories."), field="category")
    chosen = Garment.objects.filter(pk__in=[row.pk for row in garments])
    return int(chosen.exclude(category=category).update(category=category, updated_at=Now()))


@transaction.atomic
def tag_all(*, garments: Sequence[Garment], tag: str, on: bool) -> int:
    """Put tags (``tag``: one, or several with commas) on many garments, or take them off; how many garments changed."""
    words = clean_tags(split_tags(tag))
    if not words:
        raise Refused("tag_missing", _("Type the tag."), field="tag")
    changed = 0
    for garment in garments:
        tags = _tags(garment)
        wanted = clean_tags((*tags, *words)) if on else tuple(name for name in tags if name not in words)
        if wanted != tags:
            _save(garment, wanted)
            _set_tags(garment, wanted)
            changed += 1
    return changed


def delete_garments(*, garments: Sequence[Garment]) -> int:
    """Delete garments with their photos; pictures made of them stay. Files that nothing else needs go."""
    ids = [garment.pk for garment in garments]
    with transaction.atomic():
        photos = GarmentPhoto.objects.filter(garment_id__in=ids)
        assets = list(photos.values_list("asset_id", flat=True))
        Garment.objects.filter(pk__in=ids).delete()
    for asset_id in dict.fromkeys(assets):
        release_asset(asset_id)
    return len(ids)


def chosen_garments(ids: Sequence[Any]) -> list[Garment]:
    """Every garment named, or none at all.

    Raises:
        NotHere: one of them is missing or another merchant's: the whole call is refused.
        Refused: ``nothing_chosen``, ``too_many``.
    """
    wanted = _uuids(ids)
    found = list(Garment.objects.filter(pk__in=wanted))
    if len(found) != len(wanted):
        raise NotHere()
    return found


def _uuids(ids: Sequence[Any]) -> set[UUID]:
    if not ids:
        raise Refused("nothing_chosen", _("Choose at least one garment first."))
    if len(ids) > MOST_AT_ONCE:
        raise Refused("too_many", _("At most %(most)s garments at once.") % {"most": MOST_AT_ONCE})
    try:
        return {UUID(str(one)) for one in ids}
    except ValueError:
        raise NotHere() from None
