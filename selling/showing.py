"""What stands in the shop, as pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from catalog.models import Garment
from generation.models import Picture, Review
from imodel_site.lib.signing import media_url
from selling.addresses import picture_url
from selling.models import Publication, shows
from selling.services.publishing import can_roll_back

WAITING = 24
HISTORY = 50


@dataclass(frozen=True)
class Standing:
    """A place with its picture; ``image`` is empty while strangers do not see it."""

    publication: Publication
    image: str
    address: str
    visible: bool
    can_roll_back: bool


@dataclass(frozen=True)
class Shelf:
    """A garment with its places."""

    garment: Garment
    standing: Sequence[Standing]

    @property
    def empty(self) -> bool:
        """Whether nothing stands there."""
        return not self.standing


def shelves(garments: Sequence[Garment]) -> list[Shelf]:
    """These garments with what stands in their places now."""
    rows = Publication.objects.filter(garment__in=garments, ended_at=None)
    by_garment: dict[UUID, list[Standing]] = {garment.pk: [] for garment in garments}
    for row in rows.select_related("picture", "garment").order_by("position"):
        by_garment[row.garment_id].append(_standing(row))
    return [Shelf(garment, by_garment[garment.pk]) for garment in garments]


def _standing(row: Publication) -> Standing:
    image = media_url(row.picture, "medium") if row.picture is not None and row.visible else ""
    return Standing(row, image, picture_url(row, "detail", "jpg"), row.visible, can_roll_back(row))


@dataclass(frozen=True)
class Past:
    """A line of the history."""

    publication: Publication
    image: str
    last: bool

    @property
    def may_return(self) -> bool:
        """Whether it can be put back: the last one of a place in which nothing stands."""
        return self.last and self.publication.ended_at is not None and shows(self.publication.picture)


def history(garment: Garment) -> list[Past]:
    """Who put what where, and when it ended, newest first."""
    rows: Any = Publication.objects.filter(garment=garment).select_related("picture", "published_by", "ended_by")
    found, seen = [], set()
    for row in rows.order_by("-id")[:HISTORY]:
        image = media_url(row.picture, "small") if row.picture is not None else ""
        found.append(Past(row, image, row.position not in seen))
        seen.add(row.position)
    return found


def waiting(garment: Garment) -> list[tuple[Picture, str]]:
    """Its approved pictures that stand nowhere, newest first."""
    live = Publication.objects.filter(picture=OuterRef("pk"), ended_at=None)
    rows = Picture.objects.filter(garment=garment, deleted_at=None, review=Review.APPROVED)
    found = rows.filter(~Exists(live)).order_by("-id")[:WAITING]
    return [(picture, media_url(picture, "medium")) for picture in found if shows(picture)]
