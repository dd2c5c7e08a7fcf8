"""Tables with a heading: CSV and TSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from catalog.feeds.types import (
    MAX_COLUMNS,
    MAX_ROWS,
    FeedError,
    Format,
    Row,
    Sheet,
    gettext_noop,
    too_many_columns,
    too_many_rows,
)

DELIMITERS = (",", ";", "\t", "|")


def read(text: str, *, encoding: str, delimiter: str) -> Sheet:
    """Read a table.

    Args:
        encoding: that the text had, to be said.
        delimiter: of :data:`DELIMITERS`; anything else finds it out.

    Raises:
        FeedError: ``csv_empty``, ``csv_quotes``, ``csv_too_many_columns``, ``csv_too_many_rows``.
    """
    delimiter = delimiter if delimiter in DELIMITERS else guess_delimiter(text)
    rows = _rows(text, delimiter)
    heading = next(rows, None)
    if heading is None:
        raise FeedError("csv_empty", gettext_noop("The file is empty. Its first line must name the columns."))
    titles = [cell.strip() for cell in heading.cells]
    return Sheet(encoding, delimiter, titles, _limited(rows), format_of(titles))


def format_of(heading: list[str]) -> Format:
    """Whose columns these are, by those that nobody else has."""
    known = {re.sub(r"[\s_]+", " ", title.casefold()) for title in heading}
    if "handle" in known and known & {"variant sku", "image src", "body (html)", "option1 name"}:
        return Format.SHOPIFY
    if {"type", "sku", "name"} <= known and known & {"parent", "published", "is featured?", "visibility in catalog"}:
        return Format.WOOCOMMERCE
    if {"id", "title"} <= known and known & {"image link", "item group id", "google product category"}:
        return Format.GOOGLE_TSV
    return Format.PLAIN


def guess_delimiter(text: str) -> str:
    """The one that the heading holds most of, outside of quotation marks."""
    bare = re.sub(r'"[^"]*"', "", text[:20_000].lstrip().split("\n", 1)[0])
    return max(DELIMITERS, key=bare.count)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    """Every row that is not empty.

    Raises:
        FeedError: ``csv_quotes``, ``csv_too_many_columns``: named by line.
    """
    _refuse_wide_lines(text, delimiter)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            words = gettext_noop("Line %(line)s: a quotation mark is missing, or one too many, or a cell is too long.")
            raise FeedError("csv_quotes", words, line=line) from error
        if len(cells) > MAX_COLUMNS:
            raise too_many_columns(line)
        if any(cell.strip() for cell in cells):
            yield Row(line, cells)
        line = reader.line_num + 1


def _refuse_wide_lines(text: str, delimiter: str) -> None:
    """Before the parser makes a million strings of one line; commas inside long texts are no columns."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(delimiter) > 10 * MAX_COLUMNS and line.count(delimiter) > 0.2 * len(line):
            raise too_many_columns(number)


def _limited(rows: Iterator[Row]) -> list[Row]:
    found: list[Row] = []
    for row in rows:
        if len(found) == MAX_ROWS:
            raise too_many_rows()
        found.append(row)
    return found
