"""Searching, filtering and paging."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import listing
from catalog.listing import Filters, page_of
from catalog.models import Category, Garment, View
from catalog.services import garments, photos
from catalog.services.garments import Details
from tests.catalog.pictures import jpeg


def make(merchant, name: str, **values) -> Garment:
    return garments.create_garment(merchant=merchant, details=Details(name, **values))


def names(page) -> list[str]:
    return [card.garment.name for card in page.cards]


def found(**filters) -> list[str]:
    """In the order of names: ids of one millisecond are in no order."""
    return sorted(names(page_of(Filters(**filters))))


@pytest.mark.parametrize("query", ["caf", "CAFE", "café", "sku-7 red", "Ｒｅｄ", "summer dress"])
def test_words_are_found_in_name_sku_colour_and_tags_whatever_their_case_accents_and_width(atelier, query):
    make(atelier, "Café dress", sku="SKU-7", colour="Red", tags=("Summer",))
    make(atelier, "Coat", sku="SKU-8", colour="Blue")
    assert found(q=query) == ["Café dress"]


def test_a_percent_sign_is_a_percent_sign(atelier):
    make(atelier, "100% linen")
    make(atelier, "1000 linen")
    assert found(q="100%") == ["100% linen"]
    assert found(q="_") == []


def test_filters_narrow_and_archived_ones_hide_until_asked_for(atelier):
    make(atelier, "A", category=Category.DRESS, colour="Red", tags=("sale",))
    make(atelier, "B", category=Category.DRESS, colour="Blue")
    make(atelier, "C", category=Category.COAT, colour="red", status=Garment.Status.DRAFT)
    make(atelier, "D", colour="Red", status=Garment.Status.ARCHIVED)
    assert found() == ["A", "B", "C"]
    assert found(category="dress") == ["A", "B"]
    assert found(colour="RED") == ["A", "C"]
    assert found(tag="Sale") == ["A"]
    assert found(status="archived") == ["D"]
    assert found(status="draft") == ["C"]


def test_what_lacks_a_side_is_found(atelier):
    front, both, none = (make(atelier, name) for name in ("Front", "Both", "None"))
    for number, (garment, view) in enumerate([(front, View.FRONT), (both, View.FRONT), (both, View.BACK)]):
        photos.add_photo(garment=garment, merchant=atelier, file=jpeg(number), view=view)
    assert found(missing="back") == ["Front", "None"]
    assert found(missing="front") == ["None"] == found(missing="photos")
    cards = {card.garment.name: card for card in page_of(Filters()).cards}
    assert (cards["Both"].front, cards["Both"].back, cards["Both"].side) == (True, True, False)
    assert cards["Front"].cover is not None and cards["None"].cover is None
    assert none.pk == cards["None"].garment.pk


@pytest.mark.parametrize("sort", ["newest", "name", "changed"])
def test_pages_follow_one_another_without_gap_or_double_and_lead_back_again(atelier, sort):
    for number in range(23):
        make(atelier, f"Garment {number % 5}")  # equal names: the id decides
    whole = [card.garment.pk for card in page_of(Filters(sort=sort), size=100).cards]
    forward, pages, mark = [], [], ""
    while True:
        page = page_of(Filters(sort=sort), after=mark, size=5)
        pages.append([card.garment.pk for card in page.cards])
        forward += pages[-1]
        assert bool(page.before) == (len(pages) > 1)
        mark = page.after
        if not mark:
            break
    assert forward == whole and len(set(whole)) == 23
    back, before = [], page.before
    while before:
        page = page_of(Filters(sort=sort), before=before, size=5)
        back.insert(0, [card.garment.pk for card in page.cards])
        before = page.before
    assert back == pages[:-1]


def test_names_are_in_order(atelier):
    for name in ("b", "a", "c"):
        make(atelier, name)
    assert names(page_of(Filters(sort="name"))) == ["a", "b", "c"]


@pytest.mark.parametrize("mark", ["x", "e30", "WzEsMl0", "\0", "W10", "bnVsbA", "Z" * 5000])
def test_a_mark_that_makes_no_sense_shows_the_first_page(atelier, mark):
    make(atelier, "A")
    for sort in listing.SORTS:
        assert names(page_of(Filters(sort=sort), after=mark)) == ["A"]


def test_the_page_asks_the_same_number_of_questions_for_one_garment_and_for_forty(atelier, signed_in):
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/catalog/?q=garment&sort=name").status_code == 200
        return sum("SAVEPOINT" not in query["sql"] for query in asked.captured_queries)  # on PostgreSQL the scope's

    client = signed_in("alice")
    garment = make(atelier, "Garment 0", tags=("a",))
    photos.add_photo(garment=garment, merchant=atelier, file=jpeg(0))
    client.get("/catalog/")
    one = count()
    for number in range(1, 40):
        garment = make(atelier, f"Garment {number}", colour=f"c{number}", tags=("a", f"t{number}"))
        if number < 10:
            photos.add_photo(garment=garment, merchant=atelier, file=jpeg(number))
    assert count() == one
    assert one <= 16


def test_chips_count_only_what_is_shown(atelier):
    make(atelier, "A", category=Category.DRESS, colour="Red", tags=("x", "y"))
    make(atelier, "B", category=Category.DRESS, colour="Red", tags=("x",))
    make(atelier, "C", colour="Blue", status=Garment.Status.ARCHIVED)
    found_chips = listing.chips()
    assert [(value, count) for value, _, count in found_chips.categories] == [("dress", 2)]
    assert found_chips.colours == [("Red", 2)]
    assert found_chips.tags == [("x", 2), ("y", 1)]
    assert {value: count for value, _, count in found_chips.statuses} == {"active": 2, "archived": 1}
