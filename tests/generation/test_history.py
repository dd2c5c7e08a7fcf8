"""Filters and keyset pages over pictures, on whichever database the tests run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.scoping import merchant_scope
from catalog.models import Garment, Persona
from generation import history
from generation.history import Filters
from generation.models import Picture, PictureTag, Shoot
from tests.generation.conftest import first_of

pytestmark = pytest.mark.django_db


def stamped(moment: datetime, tail: int) -> UUID:
    """An id as if it had been made at that moment."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | tail)


def add(count: int, *, start: datetime | None = None, **fields) -> list[UUID]:
    """Pictures a minute apart, the oldest first; inside an open scope."""
    begun = start or datetime(2026, 3, 1, tzinfo=UTC)
    shoot = Shoot.objects.create(queued_at=timezone.now(), status="succeeded")
    plain = {"token": 1, "kind": "model", "width": 1, "height": 1, "seed": 0, "verdict": "good"} | fields
    ids = [stamped(begun + timedelta(minutes=k), k) for k in range(count)]
    Picture.objects.bulk_create([Picture(pk=pk, shoot=shoot, index=k, **plain) for k, pk in enumerate(ids)])
    return ids


def walk(filters: Filters, size: int) -> list[list[UUID]]:
    """Every page from the newest to the oldest."""
    pages, cursor = [], None
    while True:
        found = history.page(filters, older_than=cursor, size=size)
        pages.append([p.pk for p in found.pictures])
        cursor = found.older
        if cursor is None:
            return pages


def ids_of(filters: Filters) -> set[UUID]:
    return {pk for page in walk(filters, 7) for pk in page}


def test_pages_go_through_everything_once_newest_first(house):
    with merchant_scope(house.merchant):
        ids = add(23)
        pages = walk(Filters(), 5)
        assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
        assert sum(pages, []) == list(reversed(ids))


def test_the_way_back_shows_the_same_pages(house):
    with merchant_scope(house.merchant):
        add(23)
        there = walk(Filters(), 5)[:-1]  # whole pages
        cursor, back = there[-1][0], []
        while cursor is not None:
            found = history.page(Filters(), newer_than=cursor, size=5)
            back.append([p.pk for p in found.pictures])
            cursor = found.newer
        assert list(reversed(back)) == there[:-1]


def test_a_picture_that_arrives_meanwhile_moves_no_page(house):
    with merchant_scope(house.merchant):
        add(10)
        first = history.page(Filters(), size=5)
        before = [p.pk for p in history.page(Filters(), older_than=first.older, size=5).pictures]
        add(3, start=datetime(2026, 5, 1, tzinfo=UTC))
        assert [p.pk for p in history.page(Filters(), older_than=first.older, size=5).pictures] == before


def test_each_filter_shows_what_fits_and_nothing_else(house):
    with merchant_scope(house.merchant):
        other = Garment.objects.create(name="Other", search="other")
        persona = first_of(Persona)
        add(4)
        wanted = {
            Filters(garment=other.pk): add(2, start=datetime(2026, 3, 2, tzinfo=UTC), garment=other),
            Filters(persona=persona.pk): add(3, start=datetime(2026, 3, 3, tzinfo=UTC), persona=persona),
            Filters(kind="pose"): add(2, start=datetime(2026, 3, 4, tzinfo=UTC), kind="pose"),
            Filters(verdict="reject"): add(1, start=datetime(2026, 3, 5, tzinfo=UTC), verdict="reject"),
            Filters(favourite=True): add(3, start=datetime(2026, 3, 6, tzinfo=UTC), favourite=True),
            Filters(deleted=True): add(2, start=datetime(2026, 3, 7, tzinfo=UTC), deleted_at=timezone.now()),
        }
        tagged = add(9, start=datetime(2026, 3, 8, tzinfo=UTC))
        PictureTag.objects.bulk_create([PictureTag(picture_id=pk, name="sale") for pk in tagged])
        PictureTag.objects.bulk_create([PictureTag(picture_id=pk, name="sold") for pk in tagged[:4]])
        wanted[Filters(tag="sale")] = tagged
        for filters, ids in wanted.items():
            assert ids_of(filters) == set(ids), filters
        assert ids_of(Filters(tag="sold", verdict="good", since=date(2026, 3, 8))) == set(tagged[:4])


def test_dates_take_whole_days(house):
    with merchant_scope(house.merchant):
        late = add(1, start=datetime(2026, 3, 1, 23, 59, 59, 999_000, tzinfo=UTC))
        early = add(1, start=datetime(2026, 3, 2, 0, 0, 0, tzinfo=UTC))
        last = add(1, start=datetime(2026, 3, 3, 23, 59, 59, 999_000, tzinfo=UTC))
        assert ids_of(Filters(since=date(2026, 3, 2))) == {*early, *last}
        assert ids_of(Filters(until=date(2026, 3, 1))) == set(late)
        assert ids_of(Filters(since=date(2026, 3, 2), until=date(2026, 3, 3))) == {*early, *last}
        assert ids_of(Filters(tag="x", since=date(2026, 3, 2))) == set()


def test_neighbours_follow_the_filters(house):
    with merchant_scope(house.merchant):
        ids = add(3, kind="pose")
        add(3, start=datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC))
        assert history.neighbours(Filters(kind="pose"), ids[1]) == (ids[2], ids[0])
        assert history.neighbours(Filters(kind="pose"), ids[0]) == (ids[1], None)
        assert history.neighbours(Filters(), ids[1])[0] != ids[2]


def test_tags_are_listed_by_name_and_only_ones_own(house, neighbour):
    with merchant_scope(neighbour.merchant):
        PictureTag.objects.create(picture_id=add(1)[0], name="theirs")
    with merchant_scope(house.merchant):
        ids = add(30, start=datetime(2026, 4, 1, tzinfo=UTC))
        for name in ("b", "a", "c"):
            PictureTag.objects.bulk_create([PictureTag(picture_id=pk, name=name) for pk in ids])
        assert history.tag_names() == ["a", "b", "c"]
        assert history.tag_names(2) == ["a", "b"]
