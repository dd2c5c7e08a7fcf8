"""Which files of the room can be handed out: archives, to owners who are signed in."""

from __future__ import annotations

from typing import Any

from accounts.exporting.names import KIND, part
from accounts.models import Export
from accounts.services import exporting
from imodel_site.lib import signing, storage, workplace


def register() -> None:
    """Tell the media view, the collector, and whoever tidies this machine."""
    signing.register(signing.Kind("export", Export, _archive, _may_serve, owners_only=True))
    storage.register_kind(KIND, exporting.referred_keys)
    workplace.register_kept("export", exporting.still_wanted)


def _may_serve(export: Any, variant: str, bearer: bool) -> bool:
    return exporting.can_be_downloaded(export)


def _archive(export: Any, variant: str) -> signing.File | None:
    if variant != "archive" or not export.key:
        return None
    name = f"{part(export.merchant.name, export.merchant_id)}-{export.created_at:%Y-%m-%d}.zip"
    return signing.File(export.key, "application/zip", name)
