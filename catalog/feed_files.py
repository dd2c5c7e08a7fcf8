"""Feeds in the catalog's terms: what can not be read is refused in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.feeds import reading
from catalog.feeds.tables import DELIMITERS
from catalog.feeds.texts import ENCODINGS
from catalog.feeds.types import MAX_BYTES, FeedError, Format, Row, Sheet
from imodel_site.lib.errors import Refused

FORMATS: dict[Format, Any] = {
    Format.SHOPIFY: _("Shopify’s products"),
    Format.WOOCOMMERCE: _("WooCommerce’s products"),
    Format.WOOCOMMERCE_JSON: _("WooCommerce’s products (JSON)"),
    Format.GOOGLE_XML: _("Google’s product feed (XML)"),
    Format.GOOGLE_TSV: _("Google’s product feed (TSV)"),
    Format.PLAIN: _("A table"),
}
# Suffixes that an upload keeps: an archive calls the file so.
SUFFIXES = ("csv", "tsv", "txt", "json", "xml")


def read_sheet(data: bytes, *, encoding: str = "", delimiter: str = "") -> Sheet:
    """As ``catalog.feeds.reading.read``.

    Raises:
        Refused: with the feed's own code.
    """
    try:
        return reading.read(data, encoding=encoding, delimiter=delimiter)
    except FeedError as error:
        raise Refused(error.code, gettext(error.text) % error.params, field="file") from error


__all__ = ["DELIMITERS", "ENCODINGS", "FORMATS", "MAX_BYTES", "SUFFIXES", "Format", "Row", "Sheet", "read_sheet"]
