"""A CSV from anywhere as rows of text: encoding and separator found out, hostile files refused by line."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from imodel_site.lib.errors import Refused

MAX_BYTES = 10 * 2**20
MAX_ROWS = 20_000
MAX_COLUMNS = 300
MAX_CELL = 100_000  # characters; Shopify's Body (HTML) is the longest that is honest
ENCODINGS = ("utf-8-sig", "utf-16", "gb18030", "cp1252")
DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Row:
    """``line`` is where it begins in the file; the heading is line 1."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Sheet:
    """A whole file. ``cells`` of a row may be fewer or more than the heading's."""

    encoding: str
    delimiter: str
    heading: Sequence[str]
    rows: Sequence[Row]


def read_sheet(data: bytes, *, encoding: str = "", delimiter: str = "") -> Sheet:
    """Read a CSV.

    Args:
        data: the file.
        encoding: of :data:`ENCODINGS`; empty finds out.
        delimiter: of :data:`DELIMITERS`; empty finds out.

    Raises:
        Refused: ``csv_too_large``, ``csv_empty``, ``csv_not_text``, ``csv_encoding``, ``csv_quotes``,
            ``csv_too_many_columns``, ``csv_too_many_rows``.
    """
    if len(data) > MAX_BYTES:
        raise _refused("csv_too_large", _("The file is larger than %(mb)s MB. Split it.") % {"mb": MAX_BYTES // 2**20})
    encoding = encoding if encoding in ENCODINGS else guess_encoding(data)
    text = _decoded(data, encoding)
    delimiter = delimiter if delimiter in DELIMITERS else guess_delimiter(text)
    rows = _rows(text, delimiter)
    heading = next(rows, None)
    if heading is None:
        raise _refused("csv_empty", _("The file is empty. Its first line must name the columns."))
    return Sheet(encoding, delimiter, [cell.strip() for cell in heading.cells], _limited(rows))


def _refused(code: str, words: str) -> Refused:
    return Refused(code, words, field="file")


def guess_encoding(data: bytes) -> str:
    """By the byte order mark, else UTF-8 where it fits, else what the bytes look like."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:65536]
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "gb18030" if _looks_chinese(head) else "cp1252"
    return "utf-8-sig"


def _looks_chinese(head: bytes) -> bool:
    """Chinese text comes in long runs of bytes over 0x80, an even number of them; accents stand alone among letters."""
    runs = [len(run) for run in re.findall(rb"[\x81-\xfe]{1,}", head)]
    if not runs:
        return False
    even = sum(length % 2 == 0 for length in runs)
    try:
        head[: len(head) - 4].decode("gb18030", "strict")
    except UnicodeDecodeError as error:
        if error.end < len(head) - 8:
            return False
    return sum(runs) / len(runs) >= 3 and even >= 0.6 * len(runs)


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        words = _("Line %(line)s is not %(encoding)s text. Choose another encoding.")
        raise _refused("csv_encoding", words % {"line": line, "encoding": encoding}) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        words = _("Line %(line)s holds bytes that are no text. Export the table as CSV again.")
        raise _refused("csv_not_text", words % {"line": line})
    return text


def guess_delimiter(text: str) -> str:
    """The one that the heading holds most of, outside of quotation marks."""
    bare = re.sub(r'"[^"]*"', "", text[:20_000].lstrip().split("\n", 1)[0])
    return max(DELIMITERS, key=bare.count)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    """Every row that is not empty.

    Raises:
        Refused: ``csv_quotes``, ``csv_too_many_columns``: named by line.
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
            words = _("Line %(line)s: a quotation mark is missing, or one too many, or a cell is too long.")
            raise _refused("csv_quotes", words % {"line": line}) from error
        if len(cells) > MAX_COLUMNS:
            words = _("Line %(line)s has more than %(most)s columns.")
            raise _refused("csv_too_many_columns", words % {"line": line, "most": MAX_COLUMNS})
        if any(cell.strip() for cell in cells):
            yield Row(line, cells)
        line = reader.line_num + 1


def _refuse_wide_lines(text: str, delimiter: str) -> None:
    """Before the parser makes a million strings of one line; commas inside long texts are no columns."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(delimiter) > 10 * MAX_COLUMNS and line.count(delimiter) > 0.2 * len(line):
            words = _("Line %(line)s has more than %(most)s columns.")
            raise _refused("csv_too_many_columns", words % {"line": number, "most": MAX_COLUMNS})


def _limited(rows: Iterator[Row]) -> list[Row]:
    found: list[Row] = []
    for row in rows:
        if len(found) == MAX_ROWS:
            words = _("The file has more than %(most)s rows. Split it.") % {"most": MAX_ROWS}
            raise _refused("csv_too_many_rows", words)
        found.append(row)
    return found
