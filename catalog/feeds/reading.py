"""The one door: bytes of a feed in, a sheet out."""

from __future__ import annotations

import re

from catalog.feeds import google_xml, tables, texts, woocommerce
from catalog.feeds.types import MAX_BYTES, FeedError, Format, Sheet, gettext_noop

DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
# What an XML declaration may name, as one of ours.
BY_NAME = {
    "utf-8": "utf-8-sig",
    "utf-16": "utf-16",
    "iso-8859-1": "cp1252",
    "windows-1252": "cp1252",
    "us-ascii": "utf-8-sig",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
}


def read(data: bytes, *, encoding: str = "", delimiter: str = "") -> Sheet:
    """Read a feed of any of the formats.

    Args:
        data: the file.
        encoding: of ``texts.ENCODINGS``; empty finds out.
        delimiter: of ``tables.DELIMITERS``, for tables; empty finds out.

    Raises:
        FeedError: ``csv_too_large``, ``csv_encoding``, ``csv_not_text``, and those of the formats.
    """
    if len(data) > MAX_BYTES:
        words = gettext_noop("The file is larger than %(mb)s MB. Split it.")
        raise FeedError("csv_too_large", words, mb=MAX_BYTES // 2**20)
    encoding = encoding if encoding in texts.ENCODINGS else _declared(data) or texts.guess_encoding(data)
    text = texts.decoded(data, encoding)
    start = text[:1000].lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return google_xml.read(text.lstrip("\ufeff \t\r\n"), encoding=encoding)
    if start.startswith(("[", "{")):
        return woocommerce.read_json(text.lstrip("\ufeff"), encoding=encoding)
    sheet = tables.read(text, encoding=encoding, delimiter=delimiter)
    return woocommerce.with_products(sheet) if sheet.format is Format.WOOCOMMERCE else sheet


def _declared(data: bytes) -> str:
    found = DECLARED.match(data[:400].removeprefix(b"\xef\xbb\xbf"))
    return BY_NAME.get(found.group(1).decode().lower(), "") if found else ""
