"""Garments with what stands in the shop of each, some at a time, so that ten thousand are as easy as ten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from accounts.models.moderation import HIDDEN_FROM_STRANGERS
from accounts.scoping import merchant_scope
from catalog.models import Garment
from generation.models import Review
from selling.addresses import sizes_of
from selling.feeds.alt import alt_of
from selling.models import Publication

AT_ONCE = 200


@dataclass(frozen=True)
class Shown:
    """One picture of a garment, with its addresses by size."""

    position: int
    alt: str
    sizes: dict[str, dict[str, Any]]

    @property
    def detail(self) -> str:
        """The largest, as every shop takes it."""
        return str(self.sizes["detail"]["jpg"])


@dataclass(frozen=True)
class Item:
    """A garment that has at least one picture in the shop."""

    garment: Garment
    pictures: Sequence[Shown]


def visible() -> Any:
    """The open scope's publications that strangers may see now, with what an item is made of."""
    rows = Publication.objects.filter(ended_at=None, picture__deleted_at=None, picture__isnull=False)
    rows = rows.exclude(picture__review=Review.REJECTED).exclude(picture__moderation__in=HIDDEN_FROM_STRANGERS)
    return rows.select_related("garment", "picture__persona", "picture__shoot__scene").defer(
        "picture__report", "picture__recipe", "picture__shoot__order", "picture__shoot__timings"
    )


def items(merchant_id: UUID, language: str) -> Iterator[Item]:
    """All of a merchant's, oldest garment first.

    May be read while an answer is sent: each piece opens the scope for itself.
    """
    after: UUID | None = None
    while True:
        with merchant_scope(merchant_id):
            garments = _garments(after)
            found = some(language, garments=garments)
        yield from found
        if len(garments) < AT_ONCE:
            return
        after = garments[-1]


def _garments(after: UUID | None) -> list[UUID]:
    rows = Garment.objects.filter(Exists(visible().filter(garment=OuterRef("pk")).order_by()))
    rows = rows.filter(pk__gt=after) if after else rows
    return list(rows.order_by("id").values_list("pk", flat=True)[:AT_ONCE])


def some(language: str, *, garments: Sequence[UUID]) -> list[Item]:
    """The items of these garments of the open scope, in the order of their ids."""
    by_garment: dict[UUID, list[Publication]] = {}
    for row in visible().filter(garment__in=garments).order_by("garment_id", "position"):
        by_garment.setdefault(row.garment_id, []).append(row)
    return [
        Item(rows[0].garment, [_shown(row, language) for row in rows]) for _garment, rows in sorted(by_garment.items())
    ]


def _shown(row: Publication, language: str) -> Shown:
    return Shown(row.position, alt_of(row.garment, row.picture, language), sizes_of(row, version=True))
