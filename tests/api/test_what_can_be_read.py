"""Lists, filters and pages; what is held back; how many questions a list asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.scoping import merchant_scope, unscoped
from catalog.models import Asset, Garment
from generation.models import Picture, Shoot
from tests.api.conftest import Program, error_of
from tests.api.stocked import stock
from tests.generation.conftest import House, add_photo

pytestmark = pytest.mark.django_db
LISTS = ("garments", "photos", "personas", "scenes", "poses", "shoots", "pictures", "credits/entries")


@pytest.fixture
def stocked(house: House) -> dict[str, list[str]]:
    return stock(house)


def ids(answer: Any) -> set[str]:
    return {item["id"] for item in answer.json()["items"]}


def test_me_and_credits_say_who_and_how_much(shop: Program, house: House, stocked: Any) -> None:
    me = shop.get("me").json()
    assert (me["merchant"]["id"], me["user"], me["scopes"]) == (str(house.merchant.pk), None, ["read", "write"])
    told = shop.get("credits").json()
    entries = shop.get("credits/entries?page_size=200").json()["items"]
    assert told["available"] == sum(entry["available_change"] for entry in entries) == entries[0]["available_after"]
    assert told["held"] == sum(entry["held_change"] for entry in entries) > 0
    (hold,) = shop.get(f"credits/entries?job={stocked['shoots'][0]}").json()["items"]
    assert (hold["kind"], hold["held_change"]) == ("hold", 2)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_as_often_for_ten_as_for_one(
    name: str, shop: Program, house: House, stocked: Any, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        assert shop.get(name).status_code == 200
    for number in range(3):
        stock(House(house.actor, house.garment, add_photo(house.actor, name=f"Coat {number}", sku=f"C-{number}")))
    with django_assert_num_queries(len(few)):
        assert len(shop.get(name).json()["items"]) > 3


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("size", ["0", "201", "-1", "ten", "1e2", "٣", ""])
def test_a_senseless_size_is_refused_by_name(name: str, size: str, shop: Program) -> None:
    answer = shop.get(f"{name}?page_size={size}")
    assert (answer.status_code, error_of(answer)["field"]) == (400, "page_size")


def test_pages_follow_one_another_to_the_end(shop: Program, stocked: Any) -> None:
    seen, address = [], "shoots?page_size=2"
    while address:
        page = shop.get(address.replace("http://testserver", "")).json()
        seen += [item["id"] for item in page["items"]]
        address = page["next"]
    assert seen == sorted(stocked["shoots"], reverse=True)


FILTERS = [
    ("shoots", "status=failed", 1),
    ("shoots", "status=queued", 1),
    ("shoots", "kind=text", 0),
    ("shoots", "made_as=new", 3),
    ("pictures", "verdict=good", 3),
    ("pictures", "verdict=reject", 0),
    ("pictures", "tag=front", 1),
    ("pictures", "favourite=true", 0),
    ("pictures", "review=approved", 0),
    ("pictures", "deleted=true", 0),
    ("pictures", "since=2000-01-01&until=9999-12-31", 3),
    ("pictures", "until=2000-01-01", 0),
    ("personas", "own=true", 1),
    ("garments", "q=linen", 1),
    ("garments", "missing=back", 1),
    ("garments", "missing=front", 0),
    ("garments", "status=archived", 0),
    ("photos", "view=front", 1),
]


@pytest.mark.parametrize("name, query, found", FILTERS)
def test_a_filter_finds_what_it_says(name: str, query: str, found: int, shop: Program, stocked: Any) -> None:
    assert len(shop.get(f"{name}?{query}").json()["items"]) == found


@pytest.mark.parametrize(
    "name, query",
    [
        ("shoots", "status=gone"), ("shoots", "garment=x"), ("shoots", "kind="), ("pictures", "since=yesterday"),
        ("pictures", "favourite=perhaps"), ("pictures", "verdict=fine"), ("pictures", "shoot=1"), ("garments", "q=%00"),
        ("garments", "category=hat"), ("garments", "missing=left"), ("photos", "view=top"), ("personas", "own=2"),
        ("credits/entries", "kind=gift"), ("credits/entries", "job=none"),
    ],
)  # fmt: skip
def test_a_senseless_filter_is_refused_by_name(name: str, query: str, shop: Program) -> None:
    answer = shop.get(f"{name}?{query}")
    assert (answer.status_code, error_of(answer)["field"]) == (400, query.partition("=")[0])


def test_what_belongs_to_another_shop_is_filtered_by_as_if_it_were_nothing(
    shop: Program, neighbour: House, stocked: Any
) -> None:
    theirs = stock(neighbour)
    for query in (f"shoots?garment={theirs['garments'][0]}", f"pictures?shoot={theirs['shoots'][0]}"):
        assert shop.get(query).json()["items"] == []
    assert ids(shop.get("shoots")) == set(stocked["shoots"])


@pytest.mark.parametrize(
    "state, shown", [("pending", True), ("approved", True), ("flagged", False), ("rejected", False)]
)
def test_what_is_held_back_has_no_addresses_and_says_why(
    state: str, shown: bool, shop: Program, house: House, stocked: Any
) -> None:
    before = shop.get(f"photos/{house.photo.pk}").json()["urls"]["small"].replace("http://testserver", "")
    with unscoped("test"):
        Picture.objects.update(moderation=state)
        Asset.objects.update(moderation=state)
    picture = shop.get(f"pictures/{stocked['pictures'][0]}").json()
    photo = shop.get(f"photos/{house.photo.pk}").json()
    garment = shop.get(f"garments/{house.garment.pk}").json()
    shoot = shop.get(f"shoots/{stocked['shoots'][-1]}").json()
    for thing in (picture, photo, garment["photos"][0], shoot["pictures"][0]):
        assert thing["moderation"] == state and bool(thing["urls"]) is shown
    proposals = shop.get(f"photos/{house.photo.pk}/proposals").json()
    assert bool(proposals["parts"]) is bool(proposals["skeleton"]) is shown
    assert Client().get(before).status_code == (200 if shown else 404)


def test_a_failed_shoot_says_why_and_one_that_waits_says_where_it_stands(shop: Program, stocked: Any) -> None:
    queued, failed, done = (shop.get(f"shoots/{found}").json() for found in stocked["shoots"])
    assert queued["progress"]["position"] == 1 and queued["error"] is None
    assert failed["error"]["code"] == "garment_not_found" and "No garment" in failed["error"]["message"]
    assert [picture["index"] for picture in done["pictures"]] == [0, 1, 2]


def test_what_is_sent_wrongly_is_refused_in_the_one_shape(shop: Program) -> None:
    texts = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {shop.key}"})
    assert error_of(shop.get("nowhere/at/all"))["code"] == "not_found"
    assert error_of(shop("delete", "shoots"))["code"] == "method_not_allowed"
    answer = texts.post("/api/v1/garments", "{", content_type="application/json")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "bad_body")
    answer = texts.post("/api/v1/garments", "<x/>", content_type="text/xml")
    assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media_type")
    answer = texts.post("/api/v1/garments", "x" * (3 * 2**20), content_type="application/json")
    assert (answer.status_code, error_of(answer)["code"]) == (413, "body_too_large")
    assert texts.get("/api/v1/me", headers={"Accept": "text/html"})["Content-Type"] == "application/json"


def test_words_follow_the_language_that_is_asked_for(shop: Program) -> None:
    answer = shop("post", "garments", {"name": ""}, **{"Accept-Language": "zh-hans"})
    assert error_of(answer)["field"] == "name" and not error_of(answer)["message"].isascii()


def test_nothing_of_this_shop_counts_rows_it_does_not_own(shop: Program, house: House, stocked: Any) -> None:
    with merchant_scope(house.merchant):
        assert Garment.objects.count() == len(shop.get("garments").json()["items"]) == 1
        assert Shoot.objects.count() == 3
