"""What the catalog's files are called in a merchant's archive (docs/exports.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from accounts.exporting.names import Named, part, suffix_of
from catalog.models import Asset, CatalogImport, Garment, GarmentPhoto, Look, Persona, Pose, Scene
from catalog.services.assets import look_keys

AT_ONCE = 500
MODERATION = "moderation"


def named_files(merchant_id: UUID) -> Iterator[Named]:
    """Photos under their garment, what the libraries own, every other upload by its id, and the imported tables."""
    photos = GarmentPhoto.objects.select_related("garment", "asset").order_by("garment_id", "position", "id")
    for photo in photos.iterator(chunk_size=AT_ONCE):
        place = f"{photo.position + 1}-{photo.view}-{photo.pk.hex[-6:]}"
        yield from _of_asset(photo.asset, f"garments/{folder_of(photo.garment)}", place)
    for model in (Persona, Scene, Pose):
        for item in model.objects.filter(merchant_id=merchant_id).exclude(asset=None).select_related("asset"):
            yield from _of_asset(item.asset, f"library/{model._meta.model_name}s", item.name)
    for asset in Asset.objects.order_by("id").iterator(chunk_size=AT_ONCE):
        yield from _of_asset(asset, "uploads", str(asset.pk))
    for look in Look.objects.select_related("asset").order_by("id").iterator(chunk_size=AT_ONCE):
        yield from _of_look(look)
    for run in CatalogImport.objects.order_by("id"):
        yield Named(run.key, f"imports/{run.pk}-{part(run.name.removesuffix('.csv'), 'table')}{suffix_of(run.key)}")


def folder_of(garment: Garment) -> str:
    """By SKU; by id where there is none."""
    return part(garment.sku, garment.pk)


def _of_asset(asset: Asset, folder: str, place: str) -> Iterator[Named]:
    why = MODERATION if asset.rejected else ""
    yield Named(asset.key, f"{folder}/{place}{suffix_of(asset.key)}", why)
    for size, key in sorted(asset.thumbs.items()):
        yield Named(key, f"{folder}/small/{place}-{size}{suffix_of(key)}", why)


def _of_look(look: Any) -> Iterator[Named]:
    why = MODERATION if look.asset.rejected else ""
    for number, key in enumerate(look_keys(look), 1):
        yield Named(key, f"masks/{look.asset_id}/{number}{suffix_of(key)}", why)
