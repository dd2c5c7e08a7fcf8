"""What a feed is once it is read, the limits it is read within, and why one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_BYTES = 24 * 2**20
MAX_ROWS = 20_000
MAX_COLUMNS = 300
MAX_CELL = 100_000  # characters; Shopify's Body (HTML) is the longest that is honest


class Format(StrEnum):
    """Whose columns they are."""

    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    WOOCOMMERCE_JSON = "woocommerce-json"
    GOOGLE_XML = "google-xml"
    GOOGLE_TSV = "google-tsv"
    PLAIN = "plain"


@dataclass(frozen=True)
class Row:
    """``line`` is where it begins in the file; a table's heading is line 1.

    It tells a file's rows apart: where several begin on one line (:func:`line_after`), they are counted on from it.
    """

    line: int
    cells: Sequence[str]


def line_after(rows: Sequence[Row], line: int) -> int:
    """The line of the row that comes after these: its own, or the next number where theirs have reached it."""
    return max(line, rows[-1].line + 1) if rows else line


@dataclass(frozen=True)
class Sheet:
    """A whole file. ``cells`` of a row may be fewer or more than the heading's; ``delimiter`` is empty without one."""

    encoding: str
    delimiter: str
    heading: Sequence[str]
    rows: Sequence[Row]
    format: Format = Format.PLAIN


class FeedError(Exception):
    """The file can not be read at all.

    Args:
        code: stable.
        text: English, with %(name)s where the parameters go; it is in the catalogue of translations.
    """

    def __init__(self, code: str, text: str, **params: str | int) -> None:
        super().__init__(text % params)
        self.code = code
        self.text = text
        self.params: Mapping[str, str | int] = params


def gettext_noop(text: str) -> str:
    """Marks a text for the translators, as Django's of that name; whoever shows it translates it."""
    return text


def too_many_rows() -> FeedError:
    """More than are taken at once."""
    return FeedError(
        "csv_too_many_rows", gettext_noop("The file has more than %(most)s rows. Split it."), most=MAX_ROWS
    )


def too_many_columns(line: int) -> FeedError:
    """More than anybody maps by hand."""
    words = gettext_noop("Line %(line)s has more than %(most)s columns.")
    return FeedError("csv_too_many_columns", words, line=line, most=MAX_COLUMNS)


def cell_too_long(line: int) -> FeedError:
    """Longer than any honest one."""
    return FeedError("feed_cell_too_long", gettext_noop("Line %(line)s: one value is too long."), line=line)
