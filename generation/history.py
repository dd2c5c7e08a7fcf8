"""Pictures, newest first, by what they are: filters and keyset pages that cost the same at the millionth row.

Ids sort by time (UUIDv7), so a page is ``id < cursor`` on the index that fits the filter, and a range of dates is a
range of ids. Nothing here counts rows or skips them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from generation.models import Picture, PictureTag
from imodel_site.lib import scope

PAGE = 60
TAGS_SHOWN = 40
MOST_PIECE = 2_000


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is shown; None, empty and False ask for nothing. ``deleted`` shows the bin instead."""

    garment: UUID | None = None
    persona: UUID | None = None
    shoot: UUID | None = None
    kind: str = ""
    verdict: str = ""
    since: date | None = None
    until: date | None = None
    favourite: bool = False
    tag: str = ""
    deleted: bool = False

    def rows(self, *bounds: Q) -> Any:
        """The pictures, unordered. One conjunction: in a second ``filter()`` a tag's bound would join another tag."""
        return Picture.objects.filter(self._wanted(), *self._dates(), *bounds)

    def _wanted(self) -> Q:
        wanted: dict[str, Any] = {"deleted_at__isnull": not self.deleted}
        for name in ("garment", "persona", "shoot"):
            if value := getattr(self, name):
                wanted[f"{name}_id"] = value
        wanted |= {name: value for name in ("kind", "verdict") if (value := getattr(self, name))}
        if self.favourite:
            wanted["favourite"] = True
        if self.tag:
            # The merchant is repeated so that one range of the tags' index is read.
            wanted |= {"tags__name": self.tag, "tags__merchant_id": F("merchant_id")}
        return Q(**wanted)

    def _dates(self) -> list[Q]:
        since = [self.bound("gte", first_id(self.since))] if self.since else []
        until = [self.bound("lt", first_id(self.until, after=1))] if self.until else []
        return since + until

    def bound(self, sign: str, identity: UUID) -> Q:
        """``id <sign> identity``; also on the tag's row, for an inequality does not travel through a join."""
        found = Q(**{f"pk__{sign}": identity})
        return found & Q(**{f"tags__picture_id__{sign}": identity}) if self.tag else found


def first_id(day: date, *, after: int = 0) -> UUID:
    """The smallest id that a row made on that day (UTC), or so many days after it, or later can have.

    Added to the stamp, for the calendar ends at the year 9999.
    """
    stamp = datetime.combine(day, time.min, UTC).timestamp() + after * timedelta(days=1).total_seconds()
    return UUID(int=max(0, int(stamp * 1000)) << 80)


@dataclass(frozen=True)
class Page:
    """One page, newest first; ``newer`` and ``older`` are cursors, None where there is nothing more that way."""

    pictures: list[Picture]
    newer: UUID | None
    older: UUID | None


def page(filters: Filters, *, older_than: UUID | None = None, newer_than: UUID | None = None, size: int = PAGE) -> Page:
    """The page next to a cursor, or the newest one."""
    if newer_than is not None:
        found = _shown(_ids(filters, "gt", newer_than, size + 1))
        pictures, more = list(reversed(found[:size])), len(found) > size
        return Page(pictures, pictures[0].pk if more else None, pictures[-1].pk if pictures else None)
    found = _shown(_ids(filters, "lt", older_than, size + 1))
    pictures, more = found[:size], len(found) > size
    newer = pictures[0].pk if pictures and older_than is not None else None
    return Page(pictures, newer, pictures[-1].pk if more else None)


def neighbours(filters: Filters, picture: UUID) -> tuple[UUID | None, UUID | None]:
    """The next newer and the next older picture under these filters."""
    newer, older = _ids(filters, "gt", picture, 1), _ids(filters, "lt", picture, 1)
    return (newer[0] if newer else None), (older[0] if older else None)


def _shown(ids: list[UUID]) -> list[Picture]:
    """The pictures in this order, without the report and the recipe, which are most of a row.

    The garments are fetched by themselves: joined, PostgreSQL underestimates what the policies let through and compares
    each picture with every garment.
    """
    rows = Picture.objects.defer("report", "recipe").prefetch_related("garment").in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


def _ids(filters: Filters, sign: str, cursor: UUID | None, most: int) -> list[UUID]:
    """The ids next to a cursor, nearest first."""
    if filters.tag:
        return _tagged(filters, sign, cursor, most)
    bounds = [] if cursor is None else [filters.bound(sign, cursor)]
    order = "pk" if sign == "gt" else "-pk"
    return list(filters.rows(*bounds).order_by(order).values_list("pk", flat=True)[:most])


def _tagged(filters: Filters, sign: str, cursor: UUID | None, most: int) -> list[UUID]:
    """Along the tag's own index, piece by piece.

    As one join PostgreSQL, misled by the policies' estimates, reads and sorts everything that carries the tag.
    """
    rest, down = replace(filters, tag=""), sign == "lt"
    carried = PictureTag.objects.filter(name=filters.tag, **_dates_of_tags(filters))
    ordered = carried.order_by("-picture_id" if down else "picture_id").values_list("picture_id", flat=True)
    found: list[UUID] = []
    size = most
    while len(found) < most:
        bound = {} if cursor is None else {f"picture_id__{sign}": cursor}
        piece = list(ordered.filter(**bound)[:size])
        found += sorted(rest.rows(Q(pk__in=piece)).values_list("pk", flat=True), reverse=down)
        if len(piece) < size:
            break
        cursor, size = piece[-1], min(4 * size, MOST_PIECE)
    return found[:most]


def _dates_of_tags(filters: Filters) -> dict[str, UUID]:
    since = {"picture_id__gte": first_id(filters.since)} if filters.since else {}
    until = {"picture_id__lt": first_id(filters.until, after=1)} if filters.until else {}
    return since | until


def tag_names(most: int = TAGS_SHOWN) -> list[str]:
    """The merchant's tags by name: one index look-up for each, however many pictures carry it."""
    merchant = scope.current().merchant_id
    if merchant is None:
        return []
    table = connection.ops.quote_name(PictureTag._meta.db_table)
    own = PictureTag._meta.get_field("merchant").get_db_prep_value(merchant, connection)
    sql = f"""
        WITH RECURSIVE found(name, n) AS (
            SELECT (SELECT MIN(name) FROM {table} WHERE merchant_id = %s), 1
            UNION ALL
            SELECT (SELECT MIN(name) FROM {table} WHERE merchant_id = %s AND name > found.name), n + 1
            FROM found WHERE found.name IS NOT NULL AND n <= %s
        ) SELECT name FROM found WHERE name IS NOT NULL LIMIT %s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [own, own, most, most])
        return [name for (name,) in cursor.fetchall()]
