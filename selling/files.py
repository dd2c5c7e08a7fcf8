"""Which files of the room there are, and what they are called in a merchant's archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from accounts.exporting.names import Named, part
from imodel_site.lib import storage
from selling import sizes
from selling.models import Publication

AT_ONCE = 500
MODERATION = "moderation"


def keys_of(merchant_id: UUID) -> Iterator[str]:
    """Every file that this merchant's publications refer to."""
    for files in Publication.objects.exclude(files={}).values_list("files", flat=True).iterator(chunk_size=AT_ONCE):
        yield from sizes.keys(files)


def named_files(merchant_id: UUID) -> Iterator[Named]:
    """By garment and place."""
    rows: Any = Publication.objects.exclude(files={}).select_related("garment", "picture").order_by("id")
    for row in rows.iterator(chunk_size=AT_ONCE):
        folder = f"published/{part(row.garment.sku, row.garment_id)}/{row.position}"
        why = MODERATION if row.picture is not None and row.picture.rejected else ""
        for name, file in sorted(row.files.items()):
            yield Named(file["key"], f"{folder}-{name}", why)


def register() -> None:
    """Called once, when Django is ready."""
    storage.register_kind(sizes.KIND, keys_of)
