"""Addresses of private files in templates."""

from __future__ import annotations

from typing import Any

from django import template

from imodel_site.lib.signing import media_url

register = template.Library()


@register.simple_tag
def media(row: Any, variant: str) -> str:
    """The short-lived address of a row's file."""
    return media_url(row, variant)
