"""Feeds in: what each format becomes, what is remembered, hostile files, and the API's way in."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from accounts.models import WebhookEvent
from accounts.scoping import merchant_scope
from catalog.csv_columns import map_columns, units
from catalog.feeds import reading
from catalog.feeds.types import FeedError, Format
from catalog.models import CatalogImport, FeedMapping, Garment, ImportRow
from catalog.services import importing
from imodel_site.lib import storage
from imodel_site.lib.jobs.claims import claim_next
from tests.api.conftest import Program, foreign, house, library, neighbour, shop  # noqa: F401  # fixtures
from tests.catalog.pictures import upload

WOO_CSV = (
    'ID,Type,SKU,Name,Published,"Visibility in catalog",Categories,Tags,Images,Parent,'
    '"Attribute 1 name","Attribute 1 value(s)"\n'
    '7,variable,DR,Poppy dress,1,visible,"Clothing > Dresses, Sale","summer, new",'
    '"https://a/1.jpg, https://a/2.jpg",,Color,"Red, Blue"\n'
    "8,variation,DR-R,Poppy dress - Red,1,visible,,,https://a/r.jpg,id:7,Color,Red\n"
    "9,simple,CO,Wool coat,-1,visible,Coats,,,,,\n"
    "10,variation,DR-B,Poppy dress - Blue,1,visible,,,,DR,Color,Blue\n"
)
WOO_JSON = json.dumps(
    [
        {
            "id": 7, "name": "Poppy dress", "sku": "DR", "status": "publish", "type": "variable",
            "categories": [{"id": 1, "name": "Dresses"}], "tags": [{"name": "summer"}],
            "images": [{"src": "https://a/1.jpg"}, {"src": "https://a/2.jpg"}],
            "attributes": [{"name": "Color", "options": ["Red", "Blue"]}, {"name": "Size", "options": ["S"]}],
        },
        {"id": 8, "name": "", "sku": "", "status": "draft", "images": []},
        {"id": 9, "name": "Wool coat", "sku": "CO", "status": "draft", "images": None, "attributes": "none"},
    ],
    indent=1,
)  # fmt: skip
GOOGLE_XML = """<?xml version="1.0" encoding="{encoding}"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item>
  <g:id>DR-R</g:id><g:title>Poppy dress – Größe</g:title><g:link>https://a/p</g:link>
  <g:image_link>https://a/1.jpg</g:image_link>
  <g:additional_image_link>https://a/2.jpg</g:additional_image_link>
  <g:additional_image_link>https://a/3.jpg</g:additional_image_link>
  <g:product_type>Apparel &gt; Dresses</g:product_type><g:color>Red</g:color>
  <g:shipping><g:title>not this one</g:title></g:shipping>
</item>
<item><g:id>CO</g:id><title><![CDATA[Wool coat]]></title></item>
</channel></rss>
"""
GOOGLE_TSV = "id\ttitle\timage_link\tproduct_type\tcolor\nDR\tPoppy dress\thttps://a/1.jpg\tDresses\tRed\n"


def garments_of(data: bytes | str) -> list:
    sheet = reading.read(data.encode() if isinstance(data, str) else data)
    return units(sheet, map_columns(sheet.heading, sheet.format))


def told(unit) -> tuple:
    return unit.name, unit.sku, unit.category, unit.colour, unit.status, [url for _line, url in unit.images]


def test_woocommerces_csv_puts_variations_beside_their_product():
    dress, coat = garments_of(WOO_CSV)
    images = ["https://a/1.jpg", "https://a/2.jpg", "https://a/r.jpg"]
    assert told(dress) == ("Poppy dress", "DR", "dress", "Red, Blue", "active", images)
    assert (dress.tags, dress.line, dress.problems) == (("summer", "new"), 2, [])
    assert told(coat)[:5] == ("Wool coat", "CO", "coat", "", "draft")


def test_woocommerces_json_as_its_api_gives_it():
    dress, nameless, coat = garments_of(WOO_JSON)
    assert told(dress) == ("Poppy dress", "DR", "dress", "Red, Blue", "active", ["https://a/1.jpg", "https://a/2.jpg"])
    assert [problem.code for problem in nameless.problems] == ["name_missing"]
    assert nameless.line == WOO_JSON[: WOO_JSON.index('"id": 8')].count("\n"), "where its bracket stands"
    assert told(coat)[:5] == ("Wool coat", "CO", "coat", "", "draft")
    assert len(garments_of('{"products": ' + WOO_JSON + "}")) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_googles_xml_in_its_encodings(encoding):
    text = GOOGLE_XML.format(encoding=encoding).replace("–", "-")
    dress, coat = garments_of(text.encode(encoding))
    images = ["https://a/1.jpg", "https://a/2.jpg", "https://a/3.jpg"]
    assert told(dress) == ("Poppy dress - Größe", "DR-R", "dress", "Red", "", images)
    assert (dress.line, told(coat)[:3], coat.line) == (3, ("Wool coat", "CO", "coat"), 11)


def test_googles_table_and_atom():
    (dress,) = garments_of(GOOGLE_TSV)
    assert told(dress) == ("Poppy dress", "DR", "dress", "Red", "", ["https://a/1.jpg"])
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>A</id><title>Coat</title></entry></feed>'
    assert told(garments_of(atom)[0])[:2] == ("Coat", "A")


LAUGHS = "<!DOCTYPE x [" + "".join(f'<!ENTITY l{n} "&l{n - 1};&l{n - 1};">' for n in range(1, 40)) + "]>"
HOSTILE = {
    "feed_doctype": f'<?xml version="1.0"?>{LAUGHS}<rss><item><id>&l39;</id></item></rss>',
    "feed_doctype ": '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><item><id>&x;</id></item></rss>',
    "feed_xml_invalid": "<rss>\n<item><id>1</id>\n</rss>",
    "feed_xml_invalid ": "<rss><item><id>&nbsp;</id></item></rss>",
    "feed_too_deep": "<rss><item>" + "<a>" * 100_000,
    "feed_cell_too_long": "<rss><item><id>" + "x" * 100_001 + "</id></item></rss>",
    "csv_too_many_columns": "<rss><item>" + "".join(f"<f{n}>1</f{n}>" for n in range(301)) + "</item></rss>",
    "csv_too_many_rows": "<rss>" + "<item></item>" * 20_001 + "</rss>",
    "csv_empty": "<rss></rss>",
    "csv_empty ": "[]",
    "feed_json_invalid": "[" * 200_000,
    "feed_json_invalid ": '[{"id": 1}',
    "feed_json_invalid  ": "[1]",
}


@pytest.mark.parametrize("code", HOSTILE)
def test_a_hostile_feed_is_refused_by_name(code):
    with pytest.raises(FeedError) as caught:
        reading.read(HOSTILE[code].encode())
    assert caught.value.code == code.strip()


def test_products_that_stand_on_one_line_stay_apart():
    """WooCommerce's API answers in one line, and so do programs that spare the spaces of an XML."""
    one_line = json.dumps(json.loads(WOO_JSON))
    assert [told(unit) for unit in garments_of(one_line)] == [told(unit) for unit in garments_of(WOO_JSON)]
    assert [unit.line for unit in garments_of(one_line)] == [1, 2, 3]
    items = "".join(f"<item><g:id>S{n}</g:id><g:title>Coat {n}</g:title></item>" for n in range(3))
    packed = f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}</channel></rss>'
    assert [(unit.line, unit.sku) for unit in garments_of(packed)] == [(1, "S0"), (2, "S1"), (3, "S2")]


def test_a_cell_full_of_blanks_is_read_at_once():
    """It took a hundred seconds when every blank was tried as a beginning."""
    cell = "https://a/1.jpg" + " " * 99_000 + "x  , https://a/2.jpg"
    (unit,) = garments_of(f'Name,Image\nCoat,"{cell}"\n')
    assert [url for _line, url in unit.images][-1] == "https://a/2.jpg"


# --- the product -----------------------------------------------------------------------------------------------------
def carry_out(merchant) -> None:
    with merchant_scope(merchant):
        work = claim_next("light", "test", models=[CatalogImport])
        assert work is not None
        importing.carry_out(work)


def post(shop: Program, text: str, name: str = "feed.csv", **more: str):  # noqa: F811
    client = Client(headers={"Authorization": f"Bearer {shop.key}"})
    return client.post("/api/v1/imports", {"file": upload(text.encode(), name, "text/csv"), **more})


@pytest.mark.django_db
def test_a_program_imports_a_feed_and_the_second_time_nothing_changes(shop, foreign, house):  # noqa: F811
    plain = WOO_JSON.replace("https://a/1.jpg", "").replace("https://a/2.jpg", "")
    look = post(shop, plain, "feed.json", dry_run="true")
    assert not list(storage.private().listed(f"m/{house.merchant.pk}/import/")), "a look keeps nothing"
    assert (look.status_code, look.json()["format"], look.json()["garments"]) == (200, "woocommerce-json", 2)
    assert look.json()["problems"][0]["code"] == "name_missing"
    first = post(shop, plain, "feed.json")
    assert first.status_code == 202
    carry_out(house.merchant)
    there = shop.get(f"imports/{first.json()['id']}").json()
    assert (there["status"], there["rows_done"], there["rows_total"]) == ("succeeded", 3, 3)
    assert there["garments"] == {"created": 2, "updated": 0, "unchanged": 0, "failed": 1, "with_problems": 0}
    with merchant_scope(house.merchant):
        before = list(Garment.objects.order_by("pk").values())
    second = post(shop, plain, "feed.json").json()["id"]
    carry_out(house.merchant)
    assert shop.get(f"imports/{second}").json()["garments"]["unchanged"] == 2
    with merchant_scope(house.merchant):
        assert list(Garment.objects.order_by("pk").values()) == before
        told = WebhookEvent.objects.filter(type="import.finished").order_by("pk").values_list("payload", flat=True)
        assert [event["garments"]["unchanged"] for event in told] == [0, 2]
    assert foreign.get(f"imports/{second}").status_code == 404 and foreign.get("imports").json()["items"] == []
    assert foreign.post(f"imports/{second}/cancel").status_code == 404


@pytest.mark.django_db
def test_what_was_said_of_the_columns_is_remembered_for_that_shop(shop, foreign, house):  # noqa: F811
    text = "Bezeichnung,Nr,Name\nKleid,K1,intern\n"
    columns = json.dumps({"Bezeichnung": "name", "Nr": "sku"})
    assert post(shop, text, columns=columns).status_code == 202
    carry_out(house.merchant)
    again = post(shop, text.replace("Kleid", "Rock"), dry_run="true").json()
    assert again["columns"] == {"Bezeichnung": "name", "Nr": "sku"}, "and what was left out stays out"
    assert post(foreign, text, dry_run="true").json()["columns"] == {"Name": "name"}
    with merchant_scope(house.merchant):
        assert FeedMapping.objects.get().format == Format.PLAIN
        assert ImportRow.objects.get().garment.name == "Kleid"


@pytest.mark.django_db
@pytest.mark.parametrize("columns", ["[]", "x", '{"Name": "price"}', "[" * 10_000])
def test_columns_that_are_none_are_refused(shop, columns):  # noqa: F811
    answer = post(shop, "Name\nCoat\n", columns=columns)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "columns")


@pytest.mark.django_db
def test_a_run_that_is_cancelled_is_told(shop, house):  # noqa: F811
    run = post(shop, "name\nCoat\n").json()["id"]
    assert shop.post(f"imports/{run}/cancel").json()["status"] == "cancelled"
    with merchant_scope(house.merchant):
        assert WebhookEvent.objects.get(type="import.cancelled").payload["id"] == run
