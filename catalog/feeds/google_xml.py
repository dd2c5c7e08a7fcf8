"""Google's product feed as XML: RSS 2.0 with ``item``, or Atom 1.0 with ``entry``, fields in any namespace.

Source: support.google.com/merchants/answer/7052112 (attributes), /160589 (RSS), /160593 (Atom).

Read by expat alone, and a file with a DOCTYPE is refused before anything of it is looked at: without one there are no
entities to multiply or to fetch (CVE-2003-1564, XXE).
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from catalog.feeds.types import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_ROWS,
    FeedError,
    Format,
    Row,
    Sheet,
    cell_too_long,
    gettext_noop,
    line_after,
    too_many_columns,
    too_many_rows,
)

ITEMS = ("item", "entry")
DEEPEST = 32
BETWEEN = ", "  # values of a field that is there several times


def read(text: str, *, encoding: str) -> Sheet:
    """Every item with its own fields; what lies deeper in it (shipping, tax) is left out.

    Raises:
        FeedError: ``feed_doctype``, ``feed_xml_invalid``, ``feed_too_deep``, ``csv_empty`` and the limits', by line.
    """
    found = _Items()
    parser = expat.ParserCreate("utf-8", " ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda name, attributes: found.start(_local(name), parser.CurrentLineNumber)
    parser.EndElementHandler = lambda name: found.end()
    parser.CharacterDataHandler = found.text
    try:
        parser.Parse(text.encode("utf-8"), True)
    except expat.ExpatError as error:
        words = gettext_noop("Line %(line)s is not valid XML. Export the feed again.")
        raise FeedError("feed_xml_invalid", words, line=error.lineno) from error
    if not found.rows:
        raise FeedError("csv_empty", gettext_noop("There is no product in this feed."))
    return Sheet(encoding, "", list(found.heading), found.as_rows(), Format.GOOGLE_XML)


def _refuse_doctype(*_declared: Any) -> None:
    words = gettext_noop("This feed has a DOCTYPE, which no product feed needs. Export it without one.")
    raise FeedError("feed_doctype", words)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


class _Items:
    """Collects while expat reads. ``heading`` keeps the order in which fields first appear."""

    def __init__(self) -> None:
        self.heading: dict[str, None] = {}
        self.rows: list[tuple[int, dict[str, str]]] = []
        self._depth = 0
        self._item = 0  # the depth of the item that is open
        self._field = ""
        self._pieces: list[str] = []
        self._length = 0
        self._line = 0

    def start(self, name: str, line: int) -> None:
        """An element begins."""
        self._depth, self._line = self._depth + 1, line
        if self._depth > DEEPEST:
            raise FeedError("feed_too_deep", gettext_noop("Line %(line)s is nested too deeply."), line=line)
        if not self._item and name in ITEMS:
            if len(self.rows) == MAX_ROWS:
                raise too_many_rows()
            self._item = self._depth
            self.rows.append((line, {}))
        elif self._item and self._depth == self._item + 1:
            self._field, self._pieces, self._length = name, [], 0

    def text(self, text: str) -> None:
        """Of the field itself, not of what is inside it."""
        if self._field and self._depth == self._item + 1:
            self._length += len(text)
            if self._length > MAX_CELL:
                raise cell_too_long(self._line)
            self._pieces.append(text)

    def end(self) -> None:
        """An element ends."""
        if self._field and self._depth == self._item + 1:
            self._keep(self._field, "".join(self._pieces).strip())
            self._field = ""
        if self._item == self._depth:
            self._item = 0
        self._depth -= 1

    def _keep(self, name: str, value: str) -> None:
        line, fields = self.rows[-1]
        if not value:
            return
        self.heading.setdefault(name)
        if len(self.heading) > MAX_COLUMNS:
            raise too_many_columns(line)
        fields[name] = f"{fields[name]}{BETWEEN}{value}" if name in fields else value
        if len(fields[name]) > MAX_CELL:
            raise cell_too_long(line)

    def as_rows(self) -> list[Row]:
        """Cells in the order of the heading."""
        found: list[Row] = []
        for line, fields in self.rows:
            found.append(Row(line_after(found, line), [fields.get(name, "") for name in self.heading]))
        return found
