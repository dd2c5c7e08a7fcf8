"""From the columns of a feed to garments: generic tables, one row each, and those with several rows to a product."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy, gettext_noop

from catalog.feeds.types import Format, Row, Sheet
from catalog.models import Category, Garment
from catalog.services.garments import COLOUR_LENGTH, MOST_TAGS, NAME_LENGTH, SKU_LENGTH, TAG_LENGTH, clean_line
from imodel_site.lib.said import said

MOST_IMAGES = 20
# What a column can be, as the mapping page offers it.
FIELDS: Mapping[str, Any] = {
    "": gettext_lazy("(left out)"),
    "name": gettext_lazy("Name"),
    "sku": gettext_lazy("SKU"),
    "category": gettext_lazy("Category"),
    "colour": gettext_lazy("Colour"),
    "tags": gettext_lazy("Tags"),
    "status": gettext_lazy("Status"),
    "image": gettext_lazy("Photo address"),
    "handle": gettext_lazy("Product (rows of the same belong together)"),
    "position": gettext_lazy("Photo position"),
    "option_name": gettext_lazy("Option name"),
    "option_value": gettext_lazy("Option value"),
}
MANY = ("category", "image", "option_name", "option_value")  # several columns may be one of these
_NAMES: Mapping[str, str] = {
    "handle": r"handle|url handle",
    "name": r"name|title|product|product name|garment|名称|商品名称|品名|标题",
    "sku": r"sku|variant sku|article|article number|item|item number|style|code|货号|商品编码|编码",
    "category": r"category|categories|type|product type|product category|standard product type|类目|分类|品类",
    "colour": r"colou?r|colou?r name|颜色|色",
    "tags": r"tags?|keywords|labels?|标签",
    "status": r"status|状态",
    "image": r"(images?|photos?|pictures?|img)( ?(src|url|link|address))?[ -]?\d*"
    r"|product image url|variant image|图片\d*|主图",
    "position": r"image position|photo position",
    "option_name": r"(option|attribute) ?\d+ name",
    "option_value": r"(option|attribute) ?\d+ value(\(s\))?",
}
# Headings that mean something else in these formats than anywhere else; empty leaves the column out.
_OF_FORMAT: Mapping[Format, Mapping[str, str]] = {
    Format.WOOCOMMERCE: {"id": "", "type": "", "published": "status", "parent": "", "product": "handle"},
    Format.WOOCOMMERCE_JSON: {"id": "", "product": "handle"},
    **dict.fromkeys(
        (Format.GOOGLE_XML, Format.GOOGLE_TSV),
        {
            "id": "sku",
            "title": "name",
            "item group id": "handle",
            "image link": "image",
            "additional image link": "image",
            "product type": "category",
            "google product category": "category",
            "link": "",
        },
    ),
}
_WORDS: tuple[tuple[str, str], ...] = (
    (Category.TROUSERS, r"trousers?|pants|jeans|shorts|leggings|chinos|joggers|裤"),
    (Category.SKIRT, r"skirts?|mamianqun|半身裙|马面裙"),
    (Category.DRESS, r"dress(es)?|gowns?|jumpsuits?|连衣裙|裙"),
    (Category.COAT, r"coats?|parkas?|trench|大衣|风衣"),
    (Category.JACKET, r"jackets?|blazers?|outerwear|vests?|夹克|外套"),
    (Category.SWEATER, r"sweaters?|jumpers?|hoodies?|sweatshirts?|cardigans?|knitwear|pullovers?|毛衣|卫衣|针织"),
    (Category.SUIT, r"suits?|套装|西装"),
    (Category.TOP, r"t-?shirts?|tees?|tops?|tanks?|polos?|t恤|上衣"),
    (Category.SHIRT, r"shirts?|blouses?|衬衫"),
)
_STATUS = {
    "active": Garment.Status.ACTIVE,
    "published": Garment.Status.ACTIVE,
    "true": Garment.Status.ACTIVE,
    "draft": Garment.Status.DRAFT,
    "false": Garment.Status.DRAFT,
    "unlisted": Garment.Status.DRAFT,
    "archived": Garment.Status.ARCHIVED,
    # WooCommerce's: published, private and draft, and their words in its API.
    "1": Garment.Status.ACTIVE,
    "0": Garment.Status.DRAFT,
    "-1": Garment.Status.DRAFT,
    "publish": Garment.Status.ACTIVE,
    "private": Garment.Status.DRAFT,
    "pending": Garment.Status.DRAFT,
}
# A run of them is tried from its beginning only: a cell may hold a hundred thousand blanks.
BETWEEN_ADDRESSES = re.compile(r"(?<![\s,;|])[\s,;|]+(?=https?://)")
COLOUR_OPTION = re.compile(r"colou?r|farbe|couleur|颜色", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row, in words."""

    line: int
    field: str
    code: str
    message: str


@dataclass
class Unit:
    """One garment to be: from one row, or from all the rows of a product."""

    line: int
    name: str = ""
    sku: str = ""
    category: str = ""
    colour: str = ""
    tags: tuple[str, ...] = ()
    status: str = ""
    images: list[tuple[int, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def fatal(self) -> bool:
        """Whether it can not become a garment at all; a photo that can not be used is no such reason."""
        return any(problem.field != "image" for problem in self.problems)


def word_of(title: str) -> str:
    """A heading as it is compared and remembered."""
    return re.sub(r"[\s_]+", " ", title.strip().casefold())


def map_columns(
    heading: Sequence[str], format: Format = Format.PLAIN, remembered: Mapping[str, str] | None = None
) -> dict[int, str]:
    """Our field by their column's place: as the merchant said before, else as far as the headings say.

    Args:
        remembered: our field by :func:`word_of` a heading; empty for a column that was left out.
    """
    said = {**_OF_FORMAT.get(format, {}), **(remembered or {})}
    found = {place: said[word] for place, title in enumerate(heading) if said.get(word := word_of(title))}
    for place, title in enumerate(heading):
        word = word_of(title)
        if word not in said and (name := _guessed(word, found)):
            found[place] = name
    return checked_mapping(heading, found)


def _guessed(word: str, found: Mapping[int, str]) -> str:
    """The field that a heading names, where no other column is it yet; empty for none."""
    names = (name for name, pattern in _NAMES.items() if re.fullmatch(pattern, word))
    return next((name for name in names if name in MANY or name not in found.values()), "")


def checked_mapping(heading: Sequence[str], chosen: Mapping[int, str]) -> dict[int, str]:
    """Of a form: unknown fields and places are left out, and so are second uses of a single field."""
    found: dict[int, str] = {}
    for place in sorted(chosen):
        name = chosen[place]
        if name in FIELDS and name and 0 <= place < len(heading) and (name in MANY or name not in found.values()):
            found[place] = name
    return found


def units(sheet: Sheet, mapping: Mapping[int, str]) -> list[Unit]:
    """The garments of a sheet, each with what is wrong with it."""
    groups = _grouped(sheet.rows, mapping)
    found = [_unit(rows, mapping) for rows in groups]
    _find_twins(found)
    return found


def _grouped(rows: Sequence[Row], mapping: Mapping[int, str]) -> list[list[Row]]:
    """Rows of the same product together, in the order in which products first appear."""
    place = next((place for place, name in mapping.items() if name == "handle"), None)
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        handle = _cell(row, place).casefold() if place is not None else ""
        groups.setdefault(handle or row.line, []).append(row)
    return list(groups.values())


def _cell(row: Row, place: int | None) -> str:
    return row.cells[place].strip() if place is not None and place < len(row.cells) else ""


def _unit(rows: Sequence[Row], mapping: Mapping[int, str]) -> Unit:
    first = {name: _first(rows, mapping, name) for name in ("name", "sku", "tags", "status")}
    unit = Unit(line=rows[0].line)
    unit.name = clean_line(first["name"], NAME_LENGTH)
    unit.sku = clean_line(first["sku"], SKU_LENGTH + 1).lstrip("'")  # Shopify's export guards with an apostrophe
    if not unit.sku:
        unit.sku = clean_line(_first(rows, mapping, "handle"), SKU_LENGTH)
    unit.category = _category(rows, mapping) or category_in(unit.name)
    unit.status = _STATUS.get(first["status"].casefold(), "")
    unit.colour = clean_line(_colour(rows, mapping), COLOUR_LENGTH)
    words = (clean_line(tag, TAG_LENGTH).casefold() for tag in re.split(r"[,;，、|]", first["tags"]))
    unit.tags = tuple(dict.fromkeys(tag for tag in words if tag))
    _collect_images(unit, rows, mapping)
    _check(unit)
    return unit


def _first(rows: Sequence[Row], mapping: Mapping[int, str], name: str) -> str:
    places = [place for place, mapped in mapping.items() if mapped == name]
    return next((cell for row in rows for place in places if (cell := _cell(row, place))), "")


def _category(rows: Sequence[Row], mapping: Mapping[int, str]) -> str:
    """The merchant's own word (Shopify's Type, to the right) says more than a taxonomy's (its Product Category)."""
    places = sorted((place for place, name in mapping.items() if name == "category"), reverse=True)
    words = (category_in(cell) for row in rows for place in places if (cell := _cell(row, place)))
    return next(filter(None, words), "")


def category_in(text: str) -> str:
    """Our category for theirs ('Apparel & Accessories > Clothing > Dresses'); empty when nothing is recognised."""
    wanted = text.casefold()
    if wanted in Category.values:
        return wanted
    for part in reversed(wanted.split(">")):
        for category, pattern in _WORDS:
            if re.search(rf"\b({pattern})\b" if part.isascii() else f"({pattern})", part):
                return category
    return ""


def _colour(rows: Sequence[Row], mapping: Mapping[int, str]) -> str:
    """The colour's own column, else the values of the option that is named Colour, in their order."""
    own = _first(rows, mapping, "colour")
    if own:
        return own
    names = [place for place, name in sorted(mapping.items()) if name == "option_name"]
    values = [place for place, name in sorted(mapping.items()) if name == "option_value"]
    found: list[str] = []
    for name_at, value_at in zip(names, values, strict=False):
        # Shopify names the option in a product's first row only.
        if any(COLOUR_OPTION.search(_cell(row, name_at)) for row in rows):
            found += [one.strip() for row in rows for one in re.split(r"[,|]", _cell(row, value_at))]
    return ", ".join(dict.fromkeys(filter(None, found)))


def _collect_images(unit: Unit, rows: Sequence[Row], mapping: Mapping[int, str]) -> None:
    """By position where there is one, else in the order of the file; each address once."""
    at = next((place for place, name in mapping.items() if name == "position"), None)
    places = [place for place, name in sorted(mapping.items()) if name == "image"]
    found: list[tuple[int, int, str]] = []
    for row in rows:
        position = _cell(row, at)
        for place in places:
            for url in BETWEEN_ADDRESSES.split(_cell(row, place)):
                if url:
                    known = position.isdecimal() and len(position) < 6
                    found.append((int(position) if known else 10**6, row.line, url))
    found.sort(key=lambda image: image[0])
    first_line: dict[str, int] = {}
    for _position, line, url in found:
        first_line.setdefault(url, line)
    unit.images = [(line, url) for url, line in first_line.items()]


def _check(unit: Unit) -> None:
    def say(code: str, field_: str, words: str, line: int | None = None) -> None:
        unit.problems.append(Problem(unit.line if line is None else line, field_, code, words))

    if not unit.name:
        say("name_missing", "name", said(gettext_noop("There is no name.")))
    if len(unit.sku) > SKU_LENGTH:
        say("sku_too_long", "sku", said(gettext_noop("The SKU is longer than %(most)s characters."), most=SKU_LENGTH))
    if len(unit.tags) > MOST_TAGS:
        say("too_many_tags", "tags", said(gettext_noop("There are more than %(most)s tags."), most=MOST_TAGS))
    for line, url in unit.images:
        if not url.startswith("https://"):
            say("url_invalid", "image", said(gettext_noop("A photo's address must start with https://.")), line)
    if len(unit.images) > MOST_IMAGES:
        words = said(gettext_noop("Only the first %(most)s photos are taken."), most=MOST_IMAGES)
        say("too_many_photos", "image", words)
    unit.images = [(line, url) for line, url in unit.images if url.startswith("https://")][:MOST_IMAGES]


def _find_twins(found: Sequence[Unit]) -> None:
    seen: dict[str, int] = {}
    for unit in found:
        if unit.sku and unit.sku in seen:
            words = said(gettext_noop("Line %(line)s has the same SKU."), line=seen[unit.sku])
            unit.problems.append(Problem(unit.line, "sku", "sku_twice", words))
        elif unit.sku:
            seen[unit.sku] = unit.line
