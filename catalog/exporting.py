"""What the catalog's files are called in a merchant's archive (docs/exports.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from accounts.exporting.names import Named, part, suffix_of
from catalog.models import (
    Asset,
    CatalogImport,
    Embedding,
    Garment,
    GarmentMask,
    GarmentPhoto,
    Look,
    Persona,
    Pose,
    Scene,
)
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
    yield from _cut_out()
    for run in CatalogImport.objects.order_by("id"):
        suffix = suffix_of(run.key)
        yield Named(run.key, f"imports/{run.pk}-{part(run.name.removesuffix(suffix), 'table')}{suffix}")


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


def _cut_out() -> Iterator[Named]:
    """Masks of the merchant's own, and what encoders read from its photos."""
    for mask in GarmentMask.objects.select_related("asset").order_by("id").iterator(chunk_size=AT_ONCE):
        why = MODERATION if mask.asset.rejected else ""
        yield Named(mask.key, f"masks/{mask.asset_id}/own.png", why)
    made = Embedding.objects.exclude(key="").select_related("asset").order_by("id")
    for one in made.iterator(chunk_size=AT_ONCE):
        why = MODERATION if one.asset.rejected else ""
        yield Named(one.key, f"embeddings/{one.asset_id}/{part(one.encoder, one.pk)}.npy.gz", why)
