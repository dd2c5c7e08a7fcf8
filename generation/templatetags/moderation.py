"""What pages say about a thing that staff removed: ``{% removal picture "picture" as removed %}``."""

from __future__ import annotations

from typing import Any

from django import template

from generation.moderation import decisions

register = template.Library()


@register.simple_tag
def removal(row: Any, subject: str) -> dict[str, Any] | None:
    """Reason, note and whether a second look was asked for; None for what is not rejected. Asks one row, if any."""
    return decisions.why(subject, row) if row.rejected else None
