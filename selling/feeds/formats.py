"""The four files: what each shop's import expects, by its own documentation.

Shopify: help.shopify.com, "Using CSV files" (to update products Handle and Title are the required columns; a row for
each further picture repeats the Handle alone). WooCommerce: "Product CSV Import Schema" (SKU finds the product; Images
holds addresses with commas between them; the core importer takes no alt texts). Google: "Product data specification",
attributes id, image_link and additional_image_link (at most ten) of RSS 2.0 in the namespace of g:; a supplemental
source, which replaces what it holds and nothing else: it has no titles, for those of the primary one are the shop's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils.text import slugify

from imodel_site.lib.spreadsheets import csv_stream
from selling.feeds.items import Item

MOST_ADDITIONAL = 10
# XML 1.0 has no way to write these at all, escaped or not.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

SHOPIFY = ("Handle", "Title", "Image Src", "Image Position", "Image Alt Text")
WOOCOMMERCE = ("SKU", "Images")  # what a shop calls its product is its own affair


def shopify(items: Iterable[Item]) -> Iterator[bytes]:
    """A row for each picture; the first of a product says its title."""
    yield from csv_stream(_shopify_rows(items), mark="")


def _shopify_rows(items: Iterable[Item]) -> Iterator[Sequence[Any]]:
    yield SHOPIFY
    taken: set[str] = set()
    for item in items:
        handle = _handle(item, taken)
        for place, picture in enumerate(item.pictures, start=1):
            yield handle, item.garment.name if place == 1 else "", picture.detail, place, picture.alt


def _handle(item: Item, taken: set[str]) -> str:
    """As Shopify makes one of a title; of two garments of one name the second has its SKU behind."""
    garment = item.garment
    plain = slugify(garment.name, allow_unicode=True)
    longer = slugify(f"{garment.name} {garment.sku or garment.pk.hex[-8:]}", allow_unicode=True)
    handle = plain if plain and plain not in taken else longer
    if handle in taken:
        handle = f"{handle}-{garment.pk.hex[-8:]}"
    taken.add(handle)
    return handle


def woocommerce(items: Iterable[Item]) -> Iterator[bytes]:
    """A row for each product that has a SKU."""
    rows = (
        (item.garment.sku, ", ".join(picture.detail for picture in item.pictures)) for item in items if item.garment.sku
    )
    yield from csv_stream(_headed(WOOCOMMERCE, rows), mark="")


def _headed(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    yield heading
    yield from rows


def google(items: Iterable[Item]) -> Iterator[bytes]:
    """An item for each product that has a SKU.

    What Google's rules ask of pictures made by AI stands in the files: IPTC DigitalSourceType, in every size.
    """
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>'
    yield f"<title>iModel</title><link>{_xml(settings.SITE_URL)}</link><description>Pictures</description>\n".encode()
    for item in items:
        if item.garment.sku:
            yield _google_item(item).encode()
    yield b"</channel></rss>\n"


def _google_item(item: Item) -> str:
    first, *more = item.pictures
    fields = [("id", item.garment.sku), ("image_link", first.detail)]
    fields += [("additional_image_link", picture.detail) for picture in more[:MOST_ADDITIONAL]]
    return "<item>" + "".join(f"<g:{name}>{_xml(text)}</g:{name}>" for name, text in fields) + "</item>\n"


def _xml(text: str) -> str:
    return escape(UNWRITABLE.sub("", text))


def feed_json(items: Iterable[Item]) -> Iterator[bytes]:
    """Everything: each picture in each size, with its alt text."""
    yield b'{"version": 1, "items": ['
    for place, item in enumerate(items):
        yield (b",\n" if place else b"\n") + json.dumps(item_json(item), ensure_ascii=False).encode()
    yield b"\n]}\n"


def item_json(item: Item) -> dict[str, Any]:
    """A garment as programs read it, in the feed and on a product page."""
    pictures = [{"position": picture.position, "alt": picture.alt, "sizes": picture.sizes} for picture in item.pictures]
    return {"garment": str(item.garment.pk), "sku": item.garment.sku, "name": item.garment.name, "pictures": pictures}


@dataclass(frozen=True)
class Format:
    """One kind of feed; its name is the end of its address."""

    name: str
    title: str
    content_type: str
    write: Callable[[Iterable[Item]], Iterator[bytes]]


FORMATS: Mapping[str, Format] = {
    found.name: found
    for found in (
        Format("shopify.csv", "Shopify (CSV)", "text/csv; charset=utf-8", shopify),
        Format("woocommerce.csv", "WooCommerce (CSV)", "text/csv; charset=utf-8", woocommerce),
        Format("google.xml", "Google Merchant Center (XML)", "application/xml; charset=utf-8", google),
        Format("feed.json", "JSON", "application/json", feed_json),
    )
}
