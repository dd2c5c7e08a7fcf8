"""WooCommerce: its CSV export, and products as its REST API gives them (``/wp-json/wc/v3/products``).

Sources: github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema,
woocommerce.github.io/woocommerce-rest-api-docs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalog.feeds.types import (
    MAX_CELL,
    MAX_ROWS,
    FeedError,
    Format,
    Row,
    Sheet,
    cell_too_long,
    gettext_noop,
    line_after,
    too_many_rows,
)

PRODUCT = "Product"  # the column that is added: rows of the same belong together
HEADING = ("ID", "Name", "SKU", "Status", "Categories", "Tags", "Images", "Colour", PRODUCT)
COLOURS = re.compile(r"^(pa_)?(colou?r|farbe|couleur|颜色)$", re.IGNORECASE)
BETWEEN = ", "


def with_products(sheet: Sheet) -> Sheet:
    """Variations of a CSV beside their parents: ``Parent`` is the parent's SKU, or ``id:`` and its number."""
    places = {title.strip().casefold(): place for place, title in enumerate(sheet.heading)}
    by_id = {f"id:{_cell(row, places.get('id'))}": _cell(row, places.get("sku")) for row in sheet.rows}
    width = len(sheet.heading)

    def widened(row: Row) -> Row:
        cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
        return replace(row, cells=[*cells, _product(row, places, by_id)])

    return replace(sheet, heading=[*sheet.heading, PRODUCT], rows=[widened(row) for row in sheet.rows])


def _product(row: Row, places: Mapping[str, int], by_id: Mapping[str, str]) -> str:
    """The SKU of the product, or its number where it has none; empty for a row that has neither."""
    parent = _cell(row, places.get("parent"))
    if parent:
        return by_id.get(parent) or parent
    number = _cell(row, places.get("id"))
    return _cell(row, places.get("sku")) or (f"id:{number}" if number else "")


def _cell(row: Row, place: int | None) -> str:
    return row.cells[place].strip() if place is not None and place < len(row.cells) else ""


# --- JSON ------------------------------------------------------------------------------------------------------------
def read_json(text: str, *, encoding: str) -> Sheet:
    """A list of products, or an object that holds one under ``products``.

    Raises:
        FeedError: ``feed_json_invalid``, ``csv_empty`` and the limits', by line.
    """
    rows: list[Row] = []
    for line, product in _products(text):
        if len(rows) == MAX_ROWS:
            raise too_many_rows()
        cells = _cells(product)
        if any(len(cell) > MAX_CELL for cell in cells):
            raise cell_too_long(line)
        rows.append(Row(line_after(rows, line), cells))
    if not rows:
        raise FeedError("csv_empty", gettext_noop("There is no product in this feed."))
    return Sheet(encoding, "", list(HEADING), rows, Format.WOOCOMMERCE_JSON)


def _products(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each with the line that it begins at: one after the other, for the parser tells no lines."""
    place, line, seen = _start_of_list(text), 1, 0
    decoder = json.JSONDecoder()
    while (place := _skip(text, place)) < len(text) and text[place] != "]":
        line, seen = line + text.count("\n", seen, place), place
        try:
            product, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise _invalid(line) from error
        if not isinstance(product, dict):
            raise _invalid(line)
        yield line, product
    if place >= len(text):
        raise _invalid(text.count("\n") + 1)


def _start_of_list(text: str) -> int:
    found = re.match(r'\s*(?:\{\s*"products"\s*:\s*)?\[', text)
    if found is None:
        raise _invalid(1)
    return found.end()


def _skip(text: str, place: int) -> int:
    """Over white space and the commas between products."""
    while place < len(text) and text[place] in " \t\r\n,":
        place += 1
    return place


def _invalid(line: int) -> FeedError:
    words = gettext_noop("Line %(line)s is not what WooCommerce exports as JSON.")
    return FeedError("feed_json_invalid", words, line=line)


def _cells(product: Mapping[str, Any]) -> list[str]:
    number, sku = _text(product.get("id")), _text(product.get("sku"))
    parent = _text(product.get("parent_id"))
    belongs = f"id:{parent}" if parent not in ("", "0") else f"id:{number}" if number else sku
    return [
        number,
        _text(product.get("name")),
        sku,
        _text(product.get("status")),
        BETWEEN.join(_each(product.get("categories"), "name")),
        BETWEEN.join(_each(product.get("tags"), "name")),
        BETWEEN.join(_each(product.get("images"), "src")),
        BETWEEN.join(_colours(product.get("attributes"))),
        belongs,
    ]


def _text(value: Any) -> str:
    """A number or a text; anything else is none."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _each(values: Any, name: str) -> list[str]:
    """Of a list of objects, one field; WooCommerce's own older exports have plain texts there."""
    found = values if isinstance(values, list) else []
    texts = [_text(one.get(name)) if isinstance(one, dict) else _text(one) for one in found]
    return [text for text in texts if text]


def _colours(attributes: Any) -> Sequence[str]:
    for one in attributes if isinstance(attributes, list) else []:
        if isinstance(one, dict) and COLOURS.match(_text(one.get("name"))):
            return _each(one.get("options"), "name") or [_text(one.get("option"))]
    return []
