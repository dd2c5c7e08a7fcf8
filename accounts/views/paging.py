"""Lists that go on with what is older than the last row shown."""

from __future__ import annotations

from uuid import UUID


def cursor(value: str | None) -> UUID | None:
    """The id after which a page goes on; None for the first page, and for what is no id."""
    try:
        return UUID(value) if value else None
    except ValueError:
        return None
