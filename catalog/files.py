"""Which of the catalog's files can be handed out, and under which names (imodel_site.lib.signing)."""

from __future__ import annotations

from typing import Any

from catalog.models import Asset, GarmentMask, Look
from catalog.services import assets, importing, masks
from imodel_site.lib import signing, storage
from imodel_site.lib.signing import File, Kind

SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def register() -> None:
    """Tell the media view and the collector."""
    signing.register(Kind("asset", Asset, _of_asset, lambda asset, variant, bearer: asset.open_to(bearer=bearer)))
    # The masks and the skeleton of a photo show it well enough to go with it.
    signing.register(Kind("look", Look, _of_look, lambda look, variant, bearer: look.asset.open_to(bearer=bearer)))
    signing.register(Kind("mask", GarmentMask, _of_mask, lambda mask, variant, bearer: mask.open_to(bearer=bearer)))
    storage.register_kind("asset", assets.referred_keys)
    storage.register_kind("look", assets.referred_look_keys)
    storage.register_kind("mask", masks.referred_keys)
    storage.register_kind("embedding", assets.referred_embedding_keys)
    storage.register_kind("import", importing.referred_keys)


def _of_asset(asset: Any, variant: str) -> File | None:
    """``original``, ``small``, ``medium``, ``large``."""
    if variant == "original":
        return File(asset.key, asset.content_type, f"photo-{asset.pk.hex[-8:]}.{SUFFIXES[asset.content_type]}")
    key = asset.thumbs.get(variant)
    return File(key, "image/webp", f"photo-{asset.pk.hex[-8:]}-{variant}.webp") if key else None


def _of_look(look: Any, variant: str) -> File | None:
    """``mask-<part>``, ``skeleton``."""
    masks = {f"mask-{part['part']}": part["key"] for part in look.found.get("parts", ())}
    key = look.found.get("skeleton") if variant == "skeleton" else masks.get(variant)
    return File(key, "image/png", f"{variant}.png") if key else None


def _of_mask(mask: Any, variant: str) -> File | None:
    """The one of its present content."""
    return File(mask.key, "image/png", "mask.png") if variant == mask.variant else None
