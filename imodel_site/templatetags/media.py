"""``{% load media %}{% media_url asset "small" %}``: the signed address of a private file."""

from __future__ import annotations

from typing import Any

from django import template

from imodel_site.lib import signing

register = template.Library()


@register.simple_tag
def media_url(row: Any, variant: str) -> str:
    """For pages: it opens for whoever is signed in for that merchant; empty for no row."""
    return signing.media_url(row, variant) if row else ""
