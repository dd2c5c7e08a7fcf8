"""Searching, filtering and paging garments: as quick at ten thousand as at ten (bench/catalog.py)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any, cast
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from catalog.models import Asset, Category, Garment, GarmentPhoto, GarmentTag, View
from catalog.services.garments import fold

PER_PAGE = 48
MOST_WORDS = 6
MOST_CHIPS = 14
SHOWN = (Garment.Status.DRAFT, Garment.Status.ACTIVE)
# (fields of the order, newest first or A to Z); the id makes every order total, so that a page can begin anywhere.
SORTS: Mapping[str, tuple[str, bool]] = {"newest": ("", True), "name": ("name", False), "changed": ("updated_at", True)}


@dataclass(frozen=True)
class Filters:
    """What a page of the catalog shows; empty fields do not filter.

    Attributes:
        status: one of Garment.Status, or empty for all but the archived.
        missing: a side that has no photo; ``photos`` for garments without any.
    """

    q: str = ""
    category: str = ""
    colour: str = ""
    tag: str = ""
    status: str = ""
    missing: str = ""
    sort: str = "newest"

    @property
    def any(self) -> bool:
        """Whether something is filtered."""
        return replace(self, sort="newest") != Filters()


def filters_from(query: Mapping[str, str]) -> Filters:
    """Of a page's address; what makes no sense there is left out."""
    allowed: Mapping[str, Sequence[str]] = {
        "category": Category.values,
        "status": Garment.Status.values,
        "missing": [*View.values, "photos"],
        "sort": list(SORTS),
    }
    found = {key: str(query.get(key, "")).strip().replace("\0", "") for key in Filters.__dataclass_fields__}
    found["q"], found["colour"], found["tag"] = found["q"][:200], found["colour"][:60], found["tag"][:40]
    kept = {key: value for key, value in found.items() if value and (key not in allowed or value in allowed[key])}
    return Filters(**kept)


def matching(filters: Filters) -> QuerySet[Garment]:
    """The scope's garments that a filter lets through, in no order."""
    rows = Garment.objects.filter(status__in=[filters.status] if filters.status else SHOWN)
    if filters.category:
        rows = rows.filter(category=filters.category)
    if filters.colour:
        rows = rows.filter(colour__iexact=filters.colour)
    if filters.tag:
        rows = rows.filter(Exists(GarmentTag.objects.filter(garment=OuterRef("pk"), name=filters.tag.casefold())))
    if filters.missing:
        rows = rows.filter(~Exists(_photos_of(filters.missing)))
    words = fold(filters.q).split()[:MOST_WORDS]
    return cast(Any, rows.filter(reduce(and_, (Q(search__contains=word) for word in words), Q())))


def _photos_of(missing: str) -> Any:
    photos = GarmentPhoto.objects.filter(garment=OuterRef("pk"))
    return photos if missing == "photos" else photos.filter(view=missing)


@dataclass(frozen=True)
class Card:
    """A garment as the catalog shows it."""

    garment: Garment
    cover: Asset | None
    views: frozenset[str]

    def __getattr__(self, name: str) -> bool:
        """``card.front``, ``card.back``...: whether that side has a photo (for templates/ui/dots.html)."""
        if name in View.values:
            return name in self.views
        raise AttributeError(name)


@dataclass(frozen=True)
class Page:
    """One page. ``after`` and ``before`` are what the addresses of its neighbours carry; empty when there is none."""

    cards: list[Card]
    total: int
    after: str = ""
    before: str = ""


def page_of(filters: Filters, *, after: str = "", before: str = "", size: int = PER_PAGE) -> Page:
    """A page that begins after, or ends before, the garment that a mark names; the first one without.

    Keyset, not OFFSET: the last page costs what the first does.
    """
    rows, backwards = matching(filters), bool(before)
    mark = _read_mark(before or after, filters.sort)
    found = list(_beyond(_ordered(rows, filters.sort, backwards), mark, filters.sort, backwards)[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    return Page(
        cards=_cards(found),
        total=rows.count(),
        after=_mark(found[-1], filters.sort) if found and (more or backwards) else "",
        before=_mark(found[0], filters.sort) if found and mark and (more or not backwards) else "",
    )


def _ordered(rows: Any, sort: str, backwards: bool) -> Any:
    field, falling = SORTS[sort]
    sign = "-" if falling != backwards else ""
    return rows.order_by(*([sign + field] if field else []), f"{sign}id")


def _beyond(rows: Any, mark: tuple[Any, UUID] | None, sort: str, backwards: bool) -> Any:
    if mark is None:
        return rows
    field, falling = SORTS[sort]
    side, (value, identity) = ("lt" if falling != backwards else "gt"), mark
    if not field:
        return rows.filter(**{f"id__{side}": identity})
    # The first condition alone lets the index begin at the right place; the second one drops the equal ones.
    rows = rows.filter(**{f"{field}__{side}e": value})
    return rows.filter(Q(**{f"{field}__{side}": value}) | Q(**{field: value, f"id__{side}": identity}))


def _mark(garment: Garment, sort: str) -> str:
    field, _ = SORTS[sort]
    value = getattr(garment, field) if field else ""
    text = json.dumps([value.isoformat() if isinstance(value, datetime) else value, garment.pk.hex])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_mark(mark: str, sort: str) -> tuple[Any, UUID] | None:
    """None for none, and for one that makes no sense: then the page is the first."""
    field, _ = SORTS[sort]
    try:
        value, identity = json.loads(base64.urlsafe_b64decode(mark.encode() + b"=" * (-len(mark) % 4)))
        if field == "updated_at":
            value = datetime.fromisoformat(value)
        if not isinstance(value, str | datetime) or "\0" in str(value):
            return None
        return value, UUID(identity)
    except (ValueError, TypeError, binascii.Error, AttributeError):
        return None


def _cards(found: Sequence[Garment]) -> list[Card]:
    """Covers and sides of a page in one more question."""
    photos = GarmentPhoto.objects.filter(garment__in=[garment.pk for garment in found]).select_related("asset")
    by_garment: dict[UUID, list[GarmentPhoto]] = {}
    for photo in photos.order_by("position", "id"):
        by_garment.setdefault(photo.garment_id, []).append(photo)
    return [_card(garment, by_garment.get(garment.pk, [])) for garment in found]


def cards_of(identities: Collection[UUID]) -> list[Card]:
    """The cards of these garments of the scope, by name; ids that are not there are left out."""
    return _cards(list(Garment.objects.filter(pk__in=list(identities)).order_by("name", "id"))) if identities else []


def _card(garment: Garment, photos: Sequence[GarmentPhoto]) -> Card:
    cover = photos[0].asset if photos else None
    return Card(garment, cover, frozenset(photo.view for photo in photos))


@dataclass(frozen=True)
class Chips:
    """What can be filtered by, with counts: only what is there."""

    statuses: list[tuple[str, str, int]]
    categories: list[tuple[str, str, int]]
    colours: list[tuple[str, int]]
    tags: list[tuple[str, int]]

    @property
    def anything(self) -> bool:
        """Whether the merchant has any garment at all, archived ones included."""
        return bool(self.statuses)


def chips() -> Chips:
    """Three counts over the merchant's garments and one over its tags."""
    rows = Garment.objects.order_by()
    shown = rows.filter(status__in=SHOWN)
    statuses = dict(rows.values_list("status").annotate(Count("id")))
    categories = dict(shown.values_list("category").annotate(Count("id")))
    colours = shown.exclude(colour="").values_list("colour").annotate(n=Count("id")).order_by("-n", "colour")
    tags = GarmentTag.objects.order_by().values_list("name").annotate(n=Count("id")).order_by("-n", "name")
    return Chips(
        [(value, label, statuses[value]) for value, label in Garment.Status.choices if value in statuses],
        [(value, label, categories[value]) for value, label in Category.choices if value in categories],
        list(colours[:MOST_CHIPS]),
        list(tags[:MOST_CHIPS]),
    )
