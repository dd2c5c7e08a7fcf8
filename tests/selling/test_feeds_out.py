"""Feeds, read by other readers than what wrote them: what stands in the shop, in the shop's own columns."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Merchant
from accounts.scoping import merchant_scope
from catalog.models import Garment
from generation.models import Picture
from selling import services
from selling.feeds import items as reading
from selling.models import Publication, Storefront
from studio.provenance import SourceType, read_labels
from tests.generation.conftest import House, sign_in
from tests.generation.scripted import Scripted
from tests.selling.conftest import approved, publish
from tests.selling.test_pictures_stand_in_the_shop import large

pytestmark = pytest.mark.django_db(transaction=True)
G = "{http://base.google.com/ns/1.0}"


def front(found: House) -> Storefront:
    with merchant_scope(found.merchant):
        return services.storefront_of(found.merchant)


def feed(found: House, name: str, **more: Any) -> bytes:
    token = more.get("token") or front(found).feed_token
    answer = Client().get(f"/feeds/{found.merchant.pk}/{token}/{name}")
    assert answer.status_code == 200, answer.content[:300]
    return b"".join(answer.streaming_content)


def table(found: House, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(feed(found, name).decode())))


def call_it(found: House, **columns: Any) -> None:
    with merchant_scope(found.merchant):
        Garment.objects.filter(pk=found.garment.pk).update(**columns)


def fetched(url: str) -> bytes:
    answer = Client().get(url.removeprefix("http://testserver"))
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def test_shopify_has_a_row_for_each_picture_and_the_title_once(house: House, executor: Scripted) -> None:
    for picture in approved(house, 2):
        publish(house, picture)
    call_it(house, colour="blue")
    first, second = table(house, "shopify.csv")
    assert list(first) == ["Handle", "Title", "Image Src", "Image Position", "Image Alt Text"]
    assert (first["Handle"], first["Title"], first["Image Position"]) == ("linen-shirt", "Linen shirt", "1")
    assert (second["Handle"], second["Title"], second["Image Position"]) == ("linen-shirt", "", "2")
    assert first["Image Alt Text"].startswith("Linen shirt in blue, worn by ")
    assert fetched(first["Image Src"])[:2] == b"\xff\xd8" and first["Image Src"] != second["Image Src"]


def test_two_garments_of_one_name_have_two_handles(house: House, neighbour: House, executor: Scripted) -> None:
    from tests.generation.conftest import add_photo

    photo = add_photo(house.actor, name="Linen shirt", sku="LS-9")
    for found in (house, House(house.actor, photo.garment, photo)):
        publish(house, approved(found)[0])
    assert [row["Handle"] for row in table(house, "shopify.csv")] == ["linen-shirt", "linen-shirt-ls-9"]


def test_woocommerce_has_a_row_for_each_sku_with_all_pictures(house: House, executor: Scripted) -> None:
    for picture in approved(house, 2):
        publish(house, picture)
    (row,) = table(house, "woocommerce.csv")
    assert row["SKU"] == "LS-1" and set(row) == {"SKU", "Images"}, "an import would overwrite the shop's own names"
    addresses = row["Images"].split(", ")
    assert len(addresses) == 2 and all(fetched(url)[:2] == b"\xff\xd8" for url in addresses)
    call_it(house, sku="")
    assert table(house, "woocommerce.csv") == []


def test_google_gets_xml_whatever_a_garment_is_called_and_pictures_that_say_how_they_were_made(
    house: House, executor: Scripted
) -> None:
    pictures = approved(house, 3)
    for picture in pictures:
        large(house, picture, 64)
        publish(house, picture)
    call_it(house, name="R&D <shirt>\x08 “x”", sku="A&B<1>")
    root = ElementTree.fromstring(feed(house, "google.xml"))
    (item,) = root.iter("item")
    assert item.findtext(f"{G}id") == "A&B<1>" and item.find(f"{G}title") is None, "titles are the shop's"
    more = [found.text or "" for found in item.findall(f"{G}additional_image_link")]
    assert len(more) == 2
    for url in [item.findtext(f"{G}image_link") or "", *more]:
        assert read_labels(fetched(url)).source_type is SourceType.COMPOSITE


def test_the_json_feed_and_a_product_page_are_told_the_same(house: House, executor: Scripted) -> None:
    publish(house, approved(house)[0])
    (item,) = json.loads(feed(house, "feed.json"))["items"]
    answer = Client().get(f"/p/{house.merchant.pk}/pictures.json", {"sku": ["LS-1", "no-such", "\0"]})
    (shown,) = answer.json()["items"]
    assert answer["Access-Control-Allow-Origin"] == "*" and answer["Cache-Control"] == "public, max-age=60"
    assert shown == item and shown["sku"] == "LS-1" and "?v=" in item["pictures"][0]["sizes"]["list"]["webp"]
    by_id = Client().get(f"/p/{house.merchant.pk}/pictures.json", {"garment": house.garment.pk})
    assert by_id.json() == answer.json()


def test_alt_texts_are_in_the_language_of_the_shops_customers_not_of_who_looks(
    house: House, executor: Scripted, alice: Client
) -> None:
    publish(house, approved(house)[0])
    call_it(house, name="亚麻衬衫", colour="蓝色")
    english = table(house, "shopify.csv")[0]["Image Alt Text"]
    assert alice.post("/shop/feeds/language", {"language": "zh-hans"}).status_code == 302
    chinese = table(house, "shopify.csv")[0]["Image Alt Text"]
    assert english.startswith("亚麻衬衫 in 蓝色, worn by") and chinese.startswith("亚麻衬衫，蓝色，模特：")
    assert alice.post("/shop/feeds/language", {"language": "xx"}).status_code == 400


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", '=HYPERLINK("x")'])
def test_no_cell_is_taken_for_a_formula(house: House, executor: Scripted, name: str) -> None:
    publish(house, approved(house)[0])
    call_it(house, name=name, sku="=S")
    for feed_name in ("shopify.csv", "woocommerce.csv"):
        cells = [cell for row in table(house, feed_name) for cell in row.values()]
        assert cells and not [cell for cell in cells if cell[:1] in "=+-@\t\r\n" and cell]


def test_only_the_newest_secret_opens_and_a_wrong_one_is_as_no_shop(
    cast: Any, house: House, neighbour: House, executor: Scripted, alice: Client
) -> None:
    publish(house, approved(house)[0])
    old, theirs = front(house).feed_token, front(neighbour).feed_token
    assert feed(house, "feed.json", token=old)
    assert sign_in(cast.bob).post("/shop/feeds/renew").status_code == 403
    assert alice.post("/shop/feeds/renew").status_code == 302
    shop = house.merchant.pk
    for path in (f"/feeds/{shop}/{old}/feed.json", f"/feeds/{shop}/{theirs}/feed.json", f"/feeds/{shop}/x/feed.json"):
        assert Client().get(path).status_code == 404
    answer = Client().get(f"/feeds/{shop}/{front(house).feed_token}/feed.json")
    assert answer.status_code == 200 and answer["Cache-Control"] == "private, no-store"
    assert answer["X-Robots-Tag"] == "noindex"
    Merchant.objects.filter(pk=shop).update(status="suspended")
    assert Client().get(f"/feeds/{shop}/{front(house).feed_token}/feed.json").status_code == 404


def test_what_may_not_be_shown_is_in_no_feed(house: House, executor: Scripted) -> None:
    first, second = approved(house, 2)
    publish(house, first), publish(house, second)
    with merchant_scope(house.merchant):
        Picture.objects.filter(pk=first.pk).update(moderation="flagged")
    assert [row["Image Position"] for row in table(house, "shopify.csv")] == ["1"]
    with merchant_scope(house.merchant):
        Picture.objects.filter(pk=second.pk).update(review="rejected")
    assert table(house, "shopify.csv") == [] and json.loads(feed(house, "feed.json"))["items"] == []
    assert list(ElementTree.fromstring(feed(house, "google.xml")).iter("item")) == []


def test_a_long_feed_comes_in_pieces_of_a_few_statements_each(
    house: House, executor: Scripted, monkeypatch: Any
) -> None:
    row = publish(house, approved(house)[0])
    with merchant_scope(house.merchant):
        more = Garment.objects.bulk_create(Garment(name=f"G {n}", sku=f"G-{n}", search="g") for n in range(59))
        Publication.objects.bulk_create(
            Publication(garment=garment, position=1, picture_id=row.picture_id, files=row.files) for garment in more
        )
    monkeypatch.setattr(reading, "AT_ONCE", 20)
    with CaptureQueriesContext(connection) as asked:
        found = list(reading.items(house.merchant.pk, "en"))
    assert len(found) == 60 and len({item.garment.pk for item in found}) == 60
    assert len([query for query in asked if query["sql"].startswith("SELECT") and "selling_" in query["sql"]]) == 7


def test_the_page_shows_each_address_and_hands_each_out_as_a_file(
    cast: Any, house: House, executor: Scripted, alice: Client
) -> None:
    publish(house, approved(house)[0])
    shown = alice.get("/shop/feeds").content.decode()
    assert shown.count(front(house).feed_token) == 4 and f"/p/{house.merchant.pk}/pictures.json" in shown
    answer = alice.get("/shop/feeds/shopify.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="shopify.csv"'
    assert b"".join(answer.streaming_content).startswith(b"Handle,Title,")
    assert alice.get("/shop/feeds/x.csv").status_code == 404
    assert "renew" not in sign_in(cast.bob).get("/shop/feeds").content.decode().split("feeds/language")[-1]
