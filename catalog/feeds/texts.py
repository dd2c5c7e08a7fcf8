"""From bytes to text: the encoding is found out, or was said."""

from __future__ import annotations

import codecs
import re

from catalog.feeds.types import FeedError, gettext_noop

ENCODINGS = ("utf-8-sig", "utf-16", "gb18030", "cp1252")


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


def decoded(data: bytes, encoding: str) -> str:
    """The text.

    Raises:
        FeedError: ``csv_encoding``, ``csv_not_text``: by line.
    """
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        words = gettext_noop("Line %(line)s is not %(encoding)s text. Choose another encoding.")
        raise FeedError("csv_encoding", words, line=line, encoding=encoding) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        words = gettext_noop("Line %(line)s holds bytes that are no text. Export the table as CSV again.")
        raise FeedError("csv_not_text", words, line=line)
    return text
